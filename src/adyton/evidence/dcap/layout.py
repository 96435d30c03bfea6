"""A quote of Intel's DCAP: bytes to a frozen value, nothing about it verified.

Follows appendix A of Intel's "SGX ECDSA Quote Library Reference" (version 3) and of the "TDX DCAP
Quoting Library API" (versions 4 and 5): the tables "Quote Header", "Quote Body Descriptor",
"ECDSA 256-bit Quote Signature Data Structure", "QE Certification Data" and "QE Report Certification
Data". Numbers are little-endian. What the body says is for ``sgx`` and ``tdx``.

Of certification data, only the type that all quotes carry today is read: 5, the PCK certificate
chain. The others name a platform whose certificate somebody has to look up.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from adyton.codec.pem import read_chain
from adyton.codec.reader import Reader
from adyton.errors import MalformedError, RejectedError
from adyton.evidence.dcap.enclave import ENCLAVE_REPORT_SIZE, EnclaveReport

__all__ = [
    "MAX_QUOTE_BYTES",
    "BodyType",
    "CertificationRejectedError",
    "Quote",
    "TeeType",
    "without_padding",
]

# The longest that we have seen has 5006 bytes.
MAX_QUOTE_BYTES: Final = 16 * 1024
SIGNATURE_SIZE: Final = 64
ATTESTATION_KEY_SIZE: Final = 64

_HEADER: Final = struct.Struct("<HHIHH16s20s")
_BODY_DESCRIPTOR: Final = struct.Struct("<HI")
_CERTIFICATION: Final = struct.Struct("<HI")
# ECDSA-256-with-P-256; the other defined type, 3 (P-384), is not in use.
_KEY_TYPE: Final = 2
_PCK_CHAIN: Final = 5
_QE_REPORT: Final = 6
_CHAIN_LENGTH: Final = 3
_VERSIONS: Final = (3, 4, 5)
_FIRST_WITH_TDX: Final = 4
_FIRST_WITH_DESCRIPTOR: Final = 5


class CertificationRejectedError(RejectedError):
    """A quote does not bring the certificates of the platform that it comes from."""

    code = "pck-chain-missing"

    def __init__(self, *, found: int) -> None:
        super().__init__(
            f"the quote has certification data of type {found},"
            f" not a pck certificate chain (type {_PCK_CHAIN})"
        )
        self.found = found


class TeeType(IntEnum):
    """What kind of environment a quote is about."""

    SGX = 0x00
    TDX = 0x81


class BodyType(IntEnum):
    """The table that the body follows, by the numbers of version 5."""

    SGX = 1
    TD_1_0 = 2
    TD_1_5 = 3


_BODY_SIZES: Final = {BodyType.SGX: ENCLAVE_REPORT_SIZE, BodyType.TD_1_0: 584, BodyType.TD_1_5: 648}
_BODY_TEES: Final = {
    BodyType.SGX: TeeType.SGX,
    BodyType.TD_1_0: TeeType.TDX,
    BodyType.TD_1_5: TeeType.TDX,
}
_IMPLIED_BODIES: Final = {TeeType.SGX: BodyType.SGX, TeeType.TDX: BodyType.TD_1_0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A quote, version 3 to 5.

    ``signed_bytes`` are header and body, over which ``signature`` is. ``pck_chain`` has three
    certificates, in the order of the quote: the platform's own first.
    """

    version: int
    tee_type: TeeType
    qe_svn: int
    pce_svn: int
    qe_vendor_id: bytes
    user_data: bytes
    body_type: BodyType
    body: bytes
    signed_bytes: bytes
    signature: bytes
    attestation_key: bytes
    qe_report: EnclaveReport
    qe_report_bytes: bytes
    qe_report_signature: bytes
    qe_authentication_data: bytes
    pck_chain: tuple[bytes, ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> "Quote":
        """Return the quote in ``data``, or raise ``MalformedError``.

        Raises ``CertificationRejectedError`` where the certification data is of another type.
        """
        if len(data) > MAX_QUOTE_BYTES:
            raise MalformedError(f"a quote has {len(data)} bytes, the limit is {MAX_QUOTE_BYTES}")
        reader = Reader(data, where="the quote")
        version, key_type, tee, qe_svn, pce_svn, vendor, user_data = _HEADER.unpack(
            reader.take(_HEADER.size, "the header")
        )
        tee_type = _tee_type(version, key_type, tee)
        body_type = _body_type(reader, version, tee_type)
        body = reader.take(_BODY_SIZES[body_type], "the body")
        signed_bytes = data[: reader.offset]
        size = reader.little_endian(4, "the size of the signature data")
        signature_data = reader.take(size, "the signature data")
        reader.finish()
        signed = _SignatureData.from_bytes(signature_data, version=version)
        return cls(
            version=version,
            tee_type=tee_type,
            qe_svn=qe_svn,
            pce_svn=pce_svn,
            qe_vendor_id=vendor,
            user_data=user_data,
            body_type=body_type,
            body=body,
            signed_bytes=signed_bytes,
            signature=signed.signature,
            attestation_key=signed.attestation_key,
            qe_report=EnclaveReport.from_bytes(signed.qe_report),
            qe_report_bytes=signed.qe_report,
            qe_report_signature=signed.qe_report_signature,
            qe_authentication_data=signed.qe_authentication_data,
            pck_chain=signed.pck_chain,
        )


def without_padding(data: bytes) -> bytes:
    """Return ``data`` without zeros behind the quote in it: some services have buffers to fill.

    What is no quote, or has anything else behind it, comes back as it is, and is refused as such.
    """
    version, _, tee, *_ = _HEADER.unpack_from(data) if len(data) >= _HEADER.size else (0, 0, 0)
    start = _HEADER.size
    if version == _FIRST_WITH_DESCRIPTOR and len(data) >= start + _BODY_DESCRIPTOR.size:
        _, size = _BODY_DESCRIPTOR.unpack_from(data, start)
        start += _BODY_DESCRIPTOR.size + size
    else:
        start += _BODY_SIZES[BodyType.SGX if tee == TeeType.SGX else BodyType.TD_1_0]
    end = start + 4 + int.from_bytes(data[start : start + 4], "little")
    return data if any(data[end:]) else data[:end]


def _tee_type(version: int, key_type: int, tee: int) -> TeeType:
    if version not in _VERSIONS:
        raise MalformedError(f"the quote is of version {version}, not 3, 4 or 5")
    if key_type != _KEY_TYPE:
        raise MalformedError(f"the attestation key is of type {key_type}, not {_KEY_TYPE}")
    if tee not in set(TeeType) or (tee == TeeType.TDX and version < _FIRST_WITH_TDX):
        raise MalformedError(f"a quote of version {version} has the tee type {tee:#x}")
    return TeeType(tee)


def _body_type(reader: Reader, version: int, tee_type: TeeType) -> BodyType:
    if version < _FIRST_WITH_DESCRIPTOR:
        return _IMPLIED_BODIES[tee_type]
    found, size = _BODY_DESCRIPTOR.unpack(
        reader.take(_BODY_DESCRIPTOR.size, "the body's descriptor")
    )
    if found not in set(BodyType):
        raise MalformedError(f"the body is of type {found}, not 1, 2 or 3")
    body_type = BodyType(found)
    if _BODY_TEES[body_type] is not tee_type:
        raise MalformedError(f"a body of type {found} is not of the tee type {tee_type:#x}")
    if size != _BODY_SIZES[body_type]:
        raise MalformedError(f"a body of type {found} has {size} bytes")
    return body_type


@dataclass(frozen=True, slots=True, kw_only=True)
class _SignatureData:
    """What follows the part that is signed: the signature, and why to believe its key."""

    signature: bytes
    attestation_key: bytes
    qe_report: bytes
    qe_report_signature: bytes
    qe_authentication_data: bytes
    pck_chain: tuple[bytes, ...]

    @classmethod
    def from_bytes(cls, data: bytes, *, version: int) -> "_SignatureData":
        reader = Reader(data, where="the signature data")
        signature = reader.take(SIGNATURE_SIZE, "the signature")
        attestation_key = reader.take(ATTESTATION_KEY_SIZE, "the attestation key")
        if version >= _FIRST_WITH_TDX:
            # From version 4 on, what stood here as it is stands inside certification data.
            found, inner = _certification(reader)
            reader.finish()
            if found != _QE_REPORT:
                raise MalformedError(f"the certification data is of type {found}, not {_QE_REPORT}")
            reader = Reader(inner, where="the qe report certification data")
        qe_report = reader.take(ENCLAVE_REPORT_SIZE, "the qe report")
        qe_report_signature = reader.take(SIGNATURE_SIZE, "the qe report's signature")
        size = reader.little_endian(2, "the size of the qe authentication data")
        qe_authentication_data = reader.take(size, "the qe authentication data")
        found, chain = _certification(reader)
        reader.finish()
        if found != _PCK_CHAIN:
            raise CertificationRejectedError(found=found)
        return cls(
            signature=signature,
            attestation_key=attestation_key,
            qe_report=qe_report,
            qe_report_signature=qe_report_signature,
            qe_authentication_data=qe_authentication_data,
            pck_chain=read_chain(chain, "the pck certificate chain", size=_CHAIN_LENGTH),
        )


def _certification(reader: Reader) -> tuple[int, bytes]:
    found, size = _CERTIFICATION.unpack(
        reader.take(_CERTIFICATION.size, "the certification data's type and size")
    )
    return found, reader.take(size, "the certification data")
