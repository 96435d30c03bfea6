import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384

from adyton.crypto.rsa import RsaPssPublicKey, RsaPublicKey
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import MalformedError

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
MODULUS = KEY.public_key().public_numbers().n
PUBLIC = RsaPublicKey(MODULUS, 65537, where="the key")
SIGNATURE = KEY.sign(b"message", padding.PKCS1v15(), SHA256())


def test_a_signature_is_accepted() -> None:
    PUBLIC.check(b"message", SIGNATURE, domain="a test")


@pytest.mark.parametrize(
    ("message", "signature"),
    [
        (b"another", SIGNATURE),
        (b"message", b""),
        (b"message", SIGNATURE[:-1]),
        (b"message", bytes(256)),
        (b"message", KEY.sign(b"message", padding.PKCS1v15(), SHA1())),
        (b"message", KEY.sign(b"message", padding.PSS(padding.MGF1(SHA256()), 32), SHA256())),
    ],
    ids=["message", "empty", "short", "zero", "sha-1", "pss"],
)
def test_another_signature_is_refused(message: bytes, signature: bytes) -> None:
    with pytest.raises(SignatureRejectedError, match="a test"):
        PUBLIC.check(message, signature, domain="a test")


@pytest.mark.parametrize(
    ("modulus", "exponent"),
    [(MODULUS, 3), (MODULUS, 1), (MODULUS >> 1, 65537), (0, 65537), (1 << 4097, 65537)],
)
def test_a_weak_or_unusual_key_is_malformed(modulus: int, exponent: int) -> None:
    with pytest.raises(MalformedError, match="the key"):
        RsaPublicKey(modulus, exponent, where="the key")


def test_a_modulus_that_is_even_is_malformed() -> None:
    with pytest.raises(MalformedError, match="even modulus"):
        RsaPublicKey((MODULUS | 1) - 1, 65537, where="the key")


# With PSS


def pss(salt: int, *, inner: SHA256 | SHA384 | None = None) -> padding.PSS:
    return padding.PSS(padding.MGF1(inner or SHA384()), salt)


def test_a_signature_with_pss_is_accepted() -> None:
    key = RsaPssPublicKey(KEY.public_key(), where="the key")
    for check in (key.check, key.check_der):
        check(b"message", KEY.sign(b"message", pss(48), SHA384()), domain="a test")


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes(256),
        KEY.sign(b"another", pss(48), SHA384()),
        KEY.sign(b"message", pss(32), SHA384()),
        KEY.sign(b"message", pss(48, inner=SHA256()), SHA384()),
        KEY.sign(b"message", pss(48), SHA256()),
        KEY.sign(b"message", padding.PKCS1v15(), SHA384()),
    ],
    ids=["empty", "zero", "message", "salt", "mask", "hash", "pkcs1"],
)
def test_another_signature_than_pss_has_is_refused(signature: bytes) -> None:
    key = RsaPssPublicKey(KEY.public_key(), where="the key")
    with pytest.raises(SignatureRejectedError, match="a test"):
        key.check(b"message", signature, domain="a test")


def test_another_key_than_rsa_of_a_usual_size_is_malformed() -> None:
    for key in (
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(public_exponent=3, key_size=2048),
        rsa.generate_private_key(public_exponent=65537, key_size=1024),
    ):
        with pytest.raises(MalformedError, match="the key"):
            RsaPssPublicKey(key.public_key(), where="the key")
