import hashlib
import json

import jwt
import pytest

from adyton.codec.jose import Jws
from adyton.crypto.ecdsa import Es256Key
from adyton.crypto.ed25519 import Ed25519Key
from adyton.crypto.jwk import Algorithm, JwkSet
from adyton.crypto.jws import TokenSigner
from adyton.crypto.signing import SignatureRejectedError

# RFC 8037, appendix A: a key, and its name by RFC 7638.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
SIGNERS = {"ES256": TokenSigner(Es256Key()), "EdDSA": TokenSigner(Ed25519Key(SEED))}


@pytest.mark.parametrize("name", SIGNERS)
def test_a_token_is_checked_with_the_published_key(name: str) -> None:
    signer = SIGNERS[name]
    token = Jws.from_text(signer.sign({"a": 1}, kind="JWT"))
    key = JwkSet.from_bytes(signer.public_set).keys[signer.key_id].public_key(Algorithm(name))
    key.check(token.signing_input, token.signature, domain="a test")
    assert token.untrusted_header == {"alg": name, "kid": signer.key_id, "typ": "JWT"}
    with pytest.raises(SignatureRejectedError):
        key.check(token.signing_input + b"A", token.signature, domain="a test")


@pytest.mark.parametrize("name", SIGNERS)
def test_another_implementation_reads_what_we_sign(name: str) -> None:
    signer = SIGNERS[name]
    key = jwt.PyJWK(signer.public_jwk)
    claims = jwt.decode(signer.sign({"a": 1}, kind="JWT"), key=key, algorithms=[name])
    assert claims == {"a": 1}


def test_a_key_is_called_by_its_thumbprint() -> None:
    assert SIGNERS["EdDSA"].key_id == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    required = {name: SIGNERS["ES256"].public_jwk[name] for name in ("crv", "kty", "x", "y")}
    text = json.dumps(required, separators=(",", ":"))
    thumbprint = jwt.utils.base64url_encode(hashlib.sha256(text.encode()).digest()).decode()
    assert SIGNERS["ES256"].key_id == thumbprint
