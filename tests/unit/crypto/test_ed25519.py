"""Plain Ed25519, against the first vectors of RFC 8032."""

import pytest

from adyton.crypto.ed25519 import Ed25519Key, check_ed25519
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import MalformedError

SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


def test_a_seed_gives_the_key_and_the_signature_of_rfc_8032() -> None:
    key = Ed25519Key(SEED)
    assert key.public == PUBLIC
    assert key.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974")


def test_a_signature_is_checked() -> None:
    key = Ed25519Key(SEED)
    check_ed25519(key.public, b"text", key.sign(b"text"))
    with pytest.raises(SignatureRejectedError):
        check_ed25519(key.public, b"text.", key.sign(b"text"))
    with pytest.raises(SignatureRejectedError):
        check_ed25519(key.public, b"text", bytes(64))
    with pytest.raises(SignatureRejectedError):
        check_ed25519(key.public, b"text", b"")


def test_what_is_no_public_key_is_malformed() -> None:
    with pytest.raises(MalformedError):
        check_ed25519(b"short", b"text", bytes(64))
