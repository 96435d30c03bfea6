from datetime import timedelta

import pytest
from tests.fakes.nitro import NOW

from adyton.crypto.ecdsa import Es384Key
from adyton.crypto.hashing import sha256
from adyton.crypto.issuing import Authority, Validity, issue_root
from adyton.crypto.path import verify_path
from adyton.crypto.suites import ES384
from adyton.errors import MalformedError

VALIDITY = Validity(first=NOW, last=NOW + timedelta(hours=1))


def test_what_is_issued_is_verified_like_the_real_thing() -> None:
    root = issue_root("root", validity=VALIDITY, key=Es384Key())
    middle = root.issue_authority("middle", validity=VALIDITY, path_length=0, key=Es384Key())
    key = Es384Key()
    leaf = middle.issue_signer("leaf", validity=VALIDITY, key=key)
    path = verify_path(
        [root.der, middle.der, leaf], roots={"development": sha256(root.der)}, suite=ES384
    )
    path.check_valid(NOW)
    path.leaf.key.check(b"message", key.sign(b"message"), domain="a test")


def test_an_authority_is_read_back_from_its_parts() -> None:
    root = issue_root("root", validity=VALIDITY, key=Es384Key())
    again = Authority(root.der, Es384Key.from_pem(root.key.to_pem()))
    leaf = again.issue_signer("leaf", validity=VALIDITY, key=Es384Key())
    verify_path([root.der, leaf], roots={"development": sha256(root.der)}, suite=ES384)


def test_what_is_no_certificate_is_malformed() -> None:
    with pytest.raises(MalformedError):
        Authority(b"certificate", Es384Key())
