import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adyton.crypto.ecdsa import ES384_SIGNATURE_SIZE, Es384Key, Es384PublicKey
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import MalformedError

# FIPS 186-4, appendix D.1.2.4: the order of P-384.
ORDER = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffff"
    "c7634d81f4372ddf581a0db248b0a77aecec196accc52973",
    16,
)


def public(key: Es384Key) -> Es384PublicKey:
    return Es384PublicKey(key.private.public_key(), where="a key")


def test_what_is_signed_is_verified() -> None:
    key = Es384Key()
    signature = key.sign(b"message")
    assert len(signature) == ES384_SIGNATURE_SIZE
    public(key).check(b"message", signature, domain="a test")


@pytest.mark.parametrize("position", [0, 47, 48, 95])
def test_a_flipped_bit_is_refused(position: int) -> None:
    key = Es384Key()
    signature = bytearray(key.sign(b"message"))
    signature[position] ^= 1
    with pytest.raises(SignatureRejectedError, match="for a test"):
        public(key).check(b"message", bytes(signature), domain="a test")


@pytest.mark.parametrize(
    ("r", "s"), [(0, 0), (0, 1), (1, 0), (ORDER, 1), (1, ORDER), (2**384 - 1, 2**384 - 1)]
)
def test_numbers_out_of_range_are_refused(r: int, s: int) -> None:
    signature = r.to_bytes(48, "big") + s.to_bytes(48, "big")
    with pytest.raises(SignatureRejectedError):
        public(Es384Key()).check(b"message", signature, domain="a test")


@pytest.mark.parametrize("size", [0, 95, 97])
def test_a_signature_of_another_size_is_malformed(size: int) -> None:
    with pytest.raises(MalformedError, match="not 96"):
        public(Es384Key()).check(b"message", bytes(size), domain="a test")


def test_the_other_of_two_signatures_is_valid_too() -> None:
    # Why nothing is identified by its signature.
    key = Es384Key()
    signature = key.sign(b"message")
    s = ORDER - int.from_bytes(signature[48:], "big")
    public(key).check(b"message", signature[:48] + s.to_bytes(48, "big"), domain="a test")


def test_a_key_of_another_kind_is_refused() -> None:
    for other in (ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()):
        with pytest.raises(MalformedError, match="not a p-384 key"):
            Es384PublicKey(other.public_key(), where="it")
        pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with pytest.raises(MalformedError, match="not a p-384 private key"):
            Es384Key.from_pem(pem)


def test_a_key_survives_its_pem() -> None:
    key = Es384Key()
    again = Es384Key.from_pem(key.to_pem())
    public(key).check(b"message", again.sign(b"message"), domain="a test")


def test_what_is_no_pem_is_malformed() -> None:
    with pytest.raises(MalformedError, match="not a private key"):
        Es384Key.from_pem(b"-----BEGIN PRIVATE KEY-----")
