"""What the manifest says of a vTPM's quotes, beside what we find.

The file is go-tpm-tools' own protobuf, which is no format of ours: it is taken apart here, and what
we verify of it is what we verify of Azure's vTPMs, a quote over the SHA-256 bank. The key is the
one in the file; that it is a vTPM's, its certificate says, and no root of ours.
"""

from collections.abc import Iterator
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from tests.vectors.manifest import ACCEPTED, Entry, Fact, content

from adyton.crypto.hashing import sha256
from adyton.crypto.rsa import RsaPublicKey
from adyton.errors import AdytonError
from adyton.evidence.azure.tpm import TpmQuote

__all__ = ["facts"]

# Fields of go-tpm-tools' messages Attestation, Quote and PCRs.
AK_PUBLIC, QUOTES, AK_CERTIFICATE = 1, 2, 6
MESSAGE, SIGNATURE, REGISTERS = 1, 2, 3
BANK, VALUES = 1, 2
SHA256_BANK: Final = 0x000B
# TPMT_PUBLIC of an RSA key and TPMT_SIGNATURE (TCG, "Part 2: Structures"): what stands before the
# modulus of 2048 bits, and before the signature.
MODULUS_AT, MODULUS_SIZE, SIGNATURE_AT = 24, 256, 6
EXPONENT: Final = 65537
NONCE: Final = bytes.fromhex("9009")


def facts(entry: Entry) -> Iterator[Fact]:
    """Yield verdict and fields of the quote over the SHA-256 bank."""
    message = fields(content(entry))
    public = message[AK_PUBLIC][0]
    modulus = int.from_bytes(public[MODULUS_AT : MODULUS_AT + MODULUS_SIZE], "big")
    quotes = [fields(quote) for quote in message[QUOTES]]
    (quote,) = [
        quote for quote in quotes if fields(quote[REGISTERS][0])[BANK] == [bytes([SHA256_BANK])]
    ]
    try:
        RsaPublicKey(modulus, EXPONENT, where="the key").check(
            quote[MESSAGE][0], quote[SIGNATURE][0][SIGNATURE_AT:], domain="the quote"
        )
        found = TpmQuote.from_bytes(quote[MESSAGE][0])
    except AdytonError as error:
        yield Fact.verdict([error.code], ACCEPTED)
        return
    yield Fact.verdict([], ACCEPTED)
    yield Fact(name="nonce", found=found.extra_data, wanted=NONCE)
    values = registers(quote[REGISTERS][0])
    digest = sha256(b"".join(values[index] for index in found.selected))
    yield Fact(name="registers", found=digest, wanted=found.pcr_digest)
    key = x509.load_der_x509_certificate(message[AK_CERTIFICATE][0]).public_key()
    certified = key.public_numbers().n if isinstance(key, RSAPublicKey) else None
    yield Fact(name="the certificate's key", found=modulus, wanted=certified)


def registers(message: bytes) -> dict[int, bytes]:
    """Return the values of a bank's registers: of number zero, protobuf writes no number."""
    values = map(fields, fields(message)[VALUES])
    return {value.get(1, [b"\0"])[0][0]: value[2][0] for value in values}


def fields(message: bytes) -> dict[int, list[bytes]]:
    """Return the fields of a protobuf message; numbers as bytes, little-endian."""
    found: dict[int, list[bytes]] = {}
    offset = 0
    while offset < len(message):
        tag, offset = varint(message, offset)
        size, offset = varint(message, offset)
        if tag & 7:
            value, offset = message[offset : offset + size], offset + size
        else:
            value = size.to_bytes(max(1, (size.bit_length() + 7) // 8), "little")
        found.setdefault(tag >> 3, []).append(value)
    return found


def varint(message: bytes, offset: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = message[offset]
        value |= (byte & 0x7F) << shift
        offset, shift = offset + 1, shift + 7
        if byte < 0x80:
            return value, offset
