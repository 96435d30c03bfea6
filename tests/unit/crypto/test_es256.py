import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adyton.crypto.ecdsa import Es256Key, Es256PublicKey
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import MalformedError

KEY = ec.generate_private_key(ec.SECP256R1())
NUMBERS = KEY.public_key().public_numbers()
POINT = NUMBERS.x.to_bytes(32, "big") + NUMBERS.y.to_bytes(32, "big")
PUBLIC = Es256PublicKey.from_point(POINT, where="the key")
SIGNATURE_DER = KEY.sign(b"message", ec.ECDSA(SHA256()))
R, S = utils.decode_dss_signature(SIGNATURE_DER)
SIGNATURE = R.to_bytes(32, "big") + S.to_bytes(32, "big")


def test_a_signature_is_accepted_in_both_forms() -> None:
    PUBLIC.check(b"message", SIGNATURE, domain="a test")
    PUBLIC.check_der(b"message", SIGNATURE_DER, domain="a test")


@pytest.mark.parametrize(
    ("message", "signature"),
    [
        (b"another message", SIGNATURE),
        (b"message", SIGNATURE[32:] + SIGNATURE[:32]),
        (b"message", bytes(64)),
        (b"message", b"\xff" * 64),
    ],
    ids=["message", "swapped", "zero", "beyond the order"],
)
def test_another_signature_is_refused(message: bytes, signature: bytes) -> None:
    with pytest.raises(SignatureRejectedError, match="a test"):
        PUBLIC.check(message, signature, domain="a test")


@pytest.mark.parametrize("signature", [b"", SIGNATURE[:-1], SIGNATURE + b"\0"])
def test_a_signature_of_another_size_is_malformed(signature: bytes) -> None:
    with pytest.raises(MalformedError, match="not 64"):
        PUBLIC.check(b"message", signature, domain="a test")


@pytest.mark.parametrize(
    "point",
    [b"", POINT[:-1], POINT + b"\0", bytes(64), b"\xff" * 64, POINT[:-1] + bytes([POINT[-1] ^ 1])],
)
def test_what_is_no_point_of_the_curve_is_malformed(point: bytes) -> None:
    with pytest.raises(MalformedError):
        Es256PublicKey.from_point(point, where="the key")


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()).public_key(), object()], ids=["p384", "object"]
)
def test_another_kind_of_key_is_malformed(key: object) -> None:
    with pytest.raises(MalformedError, match="the key is not a p-256 key"):
        Es256PublicKey(key, where="the key")


def test_a_private_key_signs_what_its_point_checks() -> None:
    key = Es256Key()
    public = Es256PublicKey.from_point(key.point, where="the key")
    public.check(b"message", key.sign(b"message"), domain="a test")
    with pytest.raises(SignatureRejectedError):
        public.check(b"another", key.sign(b"message"), domain="a test")


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_private_key_is_read_from_pem() -> None:
    assert Es256Key.from_pem(pem(KEY)).point == POINT
    for other in (
        b"",
        b"-----BEGIN PRIVATE KEY-----",
        pem(ec.generate_private_key(ec.SECP384R1())),
    ):
        with pytest.raises(MalformedError, match="private key"):
            Es256Key.from_pem(other)


def test_a_key_that_was_written_is_the_same_again() -> None:
    key = Es256Key()
    assert Es256Key.from_pem(key.to_pem()).point == key.point
