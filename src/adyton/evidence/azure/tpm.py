"""A TPM's quote: bytes to a frozen value, nothing about it verified.

Follows "Trusted Platform Module Library, Part 2: Structures" (TCG), sections 10.12.8 (TPMS_ATTEST),
10.12.1 (TPMS_QUOTE_INFO) and 10.6.2 (TPMS_PCR_SELECTION). Numbers are big-endian.
"""

from dataclasses import dataclass
from typing import Final

from adyton.codec.reader import Reader
from adyton.errors import MalformedError

__all__ = ["MAX_QUOTE_BYTES", "TpmQuote"]

MAX_QUOTE_BYTES: Final = 1024
_MAGIC: Final = b"\xffTCG"
_ATTEST_QUOTE: Final = 0x8018
_SHA256: Final = 0x000B
_SHA256_SIZE: Final = 32
# TPM2B_NAME of a key, and TPM2B_DATA: a hash with its algorithm is the longest.
_MAX_FIELD: Final = 66
_PCRS: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class TpmQuote:
    """What a TPM says about its registers.

    ``extra_data`` is the asker's nonce. ``selected`` are the registers of the SHA-256 bank that
    ``pcr_digest`` is over, in ascending order. ``signed_bytes`` is all of it.
    """

    qualified_signer: bytes
    extra_data: bytes
    clock: int
    reset_count: int
    restart_count: int
    safe: bool
    firmware_version: int
    selected: tuple[int, ...]
    pcr_digest: bytes
    signed_bytes: bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> "TpmQuote":
        """Return the quote in ``data``, or raise ``MalformedError``."""
        if len(data) > MAX_QUOTE_BYTES:
            raise MalformedError(f"a tpm quote has {len(data)} bytes, limit {MAX_QUOTE_BYTES}")
        reader = Reader(data, where="the tpm quote")
        # The TPM writes this before what it made itself, and signs nothing else that begins so.
        if reader.take(len(_MAGIC), "the magic number") != _MAGIC:
            raise MalformedError("the tpm quote was not made by a tpm")
        if (found := reader.big_endian(2, "the type")) != _ATTEST_QUOTE:
            raise MalformedError(f"the tpm's statement is of type {found:#x}, not a quote")
        qualified_signer = _sized(reader, "the qualified signer")
        extra_data = _sized(reader, "the extra data")
        clock = reader.big_endian(8, "the clock")
        reset_count = reader.big_endian(4, "the reset count")
        restart_count = reader.big_endian(4, "the restart count")
        safe = reader.u8("safe")
        if safe > 1:
            raise MalformedError("the tpm quote has a truth value that is not 0 or 1")
        firmware_version = reader.big_endian(8, "the firmware version")
        selected = _selection(reader)
        pcr_digest = _sized(reader, "the digest of the registers")
        reader.finish()
        if len(pcr_digest) != _SHA256_SIZE:
            raise MalformedError(f"the digest of the registers has {len(pcr_digest)} bytes, not 32")
        return cls(
            qualified_signer=qualified_signer,
            extra_data=extra_data,
            clock=clock,
            reset_count=reset_count,
            restart_count=restart_count,
            safe=bool(safe),
            firmware_version=firmware_version,
            selected=selected,
            pcr_digest=pcr_digest,
            signed_bytes=data,
        )


def _sized(reader: Reader, name: str) -> bytes:
    size = reader.big_endian(2, f"the size of {name}")
    if size > _MAX_FIELD:
        raise MalformedError(f"the tpm quote has {size} bytes in {name}, limit {_MAX_FIELD}")
    return reader.take(size, name)


def _selection(reader: Reader) -> tuple[int, ...]:
    # One bank: with two, the digest would be over both, and we are given the values of one.
    if reader.big_endian(4, "the number of banks") != 1:
        raise MalformedError("the tpm quote is not over one bank of registers")
    if (found := reader.big_endian(2, "the bank")) != _SHA256:
        raise MalformedError(f"the registers are of the bank {found:#x}, not of sha-256")
    if (size := reader.u8("the size of the selection")) != _PCRS // 8:
        raise MalformedError(f"the selection of registers has {size} bytes, not {_PCRS // 8}")
    bits = reader.little_endian(size, "the selection of registers")
    return tuple(index for index in range(_PCRS) if bits >> index & 1)
