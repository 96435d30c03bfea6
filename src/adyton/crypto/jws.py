"""Signing tokens (RFC 7515) with a key of one's own, and publishing its public half (RFC 7517)."""

from typing import Final

from adyton.codec.jose import encode
from adyton.codec.json import Json, JsonObject, canonical
from adyton.codec.text import to_base64url
from adyton.crypto.ecdsa import P256_POINT_SIZE, Es256Key
from adyton.crypto.ed25519 import Ed25519Key
from adyton.crypto.hashing import sha256
from adyton.crypto.jwk import Algorithm

__all__ = ["TokenSigner"]

_COORDINATE: Final = P256_POINT_SIZE // 2


class TokenSigner:
    """A key that signs tokens: P-256 (ES256) or Ed25519 (EdDSA).

    Whatever is signed with it is a token. The key must be used for nothing else.
    """

    __slots__ = ("_key", "algorithm", "key_id", "public_jwk")

    def __init__(self, key: Es256Key | Ed25519Key) -> None:
        self._key = key
        required: JsonObject
        if isinstance(key, Es256Key):
            self.algorithm = Algorithm.ES256
            x, y = key.point[:_COORDINATE], key.point[_COORDINATE:]
            required = {"kty": "EC", "crv": "P-256", "x": to_base64url(x), "y": to_base64url(y)}
        else:
            self.algorithm = Algorithm.EDDSA
            required = {"kty": "OKP", "crv": "Ed25519", "x": to_base64url(key.public)}
        # RFC 7638, section 3: the name says which key it is, and cannot be another's.
        self.key_id = to_base64url(sha256(canonical(required)))
        self.public_jwk: JsonObject = {
            **required,
            "alg": self.algorithm.value,
            "kid": self.key_id,
            "use": "sig",
        }

    @property
    def public_set(self) -> bytes:
        """The key set to publish."""
        return canonical({"keys": [self.public_jwk]})

    def sign(self, claims: Json, *, kind: str) -> str:
        """Return ``claims`` as a token of the type ``kind``; their text is canonical."""
        header: Json = {"alg": self.algorithm.value, "kid": self.key_id, "typ": kind}
        message = encode(canonical(header), canonical(claims))
        return f"{message.decode()}.{to_base64url(self._key.sign(message))}"
