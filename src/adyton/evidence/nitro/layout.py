"""A Nitro attestation document: bytes to a frozen value, nothing about it verified.

Follows AWS's "Nitro Enclaves Attestation Process" (aws-nitro-enclaves-nsm-api,
docs/attestation_process.md), sections 2.2 and 3.2.2, and "Validate a NitroTPM Attestation Document"
(EC2 user guide), which differ in the name of the registers' field. Where AWS's text and AWS's
documents disagree, the documents win: an absent field is written as null, and user data and nonce
have up to 1024 bytes, as section 2.2 says, and not 512, as section 3.2.2.2 does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from adyton.codec.cbor import (
    Cbor,
    CborMap,
    as_bytes,
    as_integer,
    as_list,
    as_map,
    as_text,
    loads,
)
from adyton.codec.cose import ALGORITHM, ES384, Sign1
from adyton.errors import MalformedError
from adyton.model.claims import Technology
from adyton.model.window import LAST_MILLISECOND, instant_of

__all__ = ["MAX_DOCUMENT_BYTES", "Document"]

# Section 3.1: the payload has at most 16384 bytes; the rest is header, signature and framing.
MAX_PAYLOAD_BYTES: Final = 16 * 1024
MAX_DOCUMENT_BYTES: Final = MAX_PAYLOAD_BYTES + 1024
SIGNATURE_SIZE: Final = 96
# AWS sets no limit to the bundle; its own have four certificates.
MAX_BUNDLE: Final = 9

_MAX_CERTIFICATE_BYTES: Final = 1024
_MAX_FIELD_BYTES: Final = 1024
_MAX_TEXT: Final = 256
_MAX_REGISTERS: Final = 32
_REGISTER_SIZES: Final = frozenset({32, 48, 64})

_REGISTERS: Final[Mapping[str, Technology]] = MappingProxyType(
    {"pcrs": Technology.NITRO, "nitrotpm_pcrs": Technology.NITRO_TPM}
)
_REQUIRED: Final = ("module_id", "digest", "timestamp", "certificate", "cabundle")
_OPTIONAL: Final = ("public_key", "user_data", "nonce")
_KNOWN: Final = frozenset({*_REGISTERS, *_REQUIRED, *_OPTIONAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An attestation document as AWS's specification describes it.

    ``cabundle`` begins at the root; ``certificate`` is the one that signed. ``signed_bytes`` is
    what the signature is over. The technology is told by the field that holds the registers.
    """

    technology: Technology
    module_id: str
    timestamp: datetime
    pcrs: Mapping[int, bytes]
    certificate: bytes
    cabundle: tuple[bytes, ...]
    public_key: bytes | None
    user_data: bytes | None
    nonce: bytes | None
    signed_bytes: bytes
    signature: bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> "Document":
        """Return the document in ``data``, or raise ``MalformedError``."""
        message = Sign1.from_bytes(data, limit_bytes=MAX_DOCUMENT_BYTES)
        _check_headers(message)
        fields = _fields(message.payload)
        technology, registers = _registers(fields)
        bundle = as_list(fields["cabundle"], "cabundle", low=1, high=MAX_BUNDLE)
        return cls(
            technology=technology,
            module_id=as_text(fields["module_id"], "module_id", low=1, high=_MAX_TEXT),
            timestamp=_timestamp(fields["timestamp"]),
            pcrs=registers,
            certificate=_certificate(fields["certificate"], "certificate"),
            cabundle=tuple(_certificate(item, "a certificate in cabundle") for item in bundle),
            public_key=_optional(fields, "public_key", low=1),
            user_data=_optional(fields, "user_data", low=0),
            nonce=_optional(fields, "nonce", low=0),
            signed_bytes=message.signed_bytes(),
            signature=message.signature,
        )


def _check_headers(message: Sign1) -> None:
    # Exactly this header: an algorithm must not be up to the sender, and "crit" would ask for
    # something that nobody here does.
    if message.header != {ALGORITHM: ES384}:
        raise MalformedError("the protected header is not the algorithm es384 alone")
    # Nobody signs this header. AWS leaves it empty; whatever stands in it was added on the way.
    if message.unprotected:
        raise MalformedError("the unprotected header is not empty")
    if len(message.signature) != SIGNATURE_SIZE:
        raise MalformedError(f"the signature has {len(message.signature)} bytes, not 96")


def _fields(payload: bytes) -> CborMap:
    value = loads(payload, limit_bytes=MAX_PAYLOAD_BYTES, indefinite=True)
    fields = as_map(value, "the attestation document")
    if unknown := sorted(str(key) for key in fields if key not in _KNOWN):
        raise MalformedError(f"the attestation document has the field {unknown[0][:64]!r}")
    if missing := [name for name in _REQUIRED if name not in fields]:
        raise MalformedError(f"the attestation document lacks {', '.join(missing)}")
    if fields["digest"] != "SHA384":
        raise MalformedError("digest is not SHA384")
    return fields


def _registers(fields: CborMap) -> tuple[Technology, Mapping[int, bytes]]:
    names = [name for name in _REGISTERS if name in fields]
    if len(names) != 1:
        raise MalformedError("the attestation document has not one of pcrs and nitrotpm_pcrs")
    found = as_map(fields[names[0]], names[0])
    if not 1 <= len(found) <= _MAX_REGISTERS:
        raise MalformedError(f"{names[0]} has {len(found)} registers, not 1 to {_MAX_REGISTERS}")
    registers = {}
    for key, value in found.items():
        index = as_integer(key, "the index of a register", low=0, high=_MAX_REGISTERS - 1)
        content = as_bytes(value, f"pcr {index}", high=max(_REGISTER_SIZES))
        if len(content) not in _REGISTER_SIZES:
            raise MalformedError(f"pcr {index} has {len(content)} bytes, not 32, 48 or 64")
        registers[index] = content
    return _REGISTERS[names[0]], MappingProxyType(registers)


def _timestamp(value: Cbor) -> datetime:
    return instant_of(as_integer(value, "timestamp", low=1, high=LAST_MILLISECOND))


def _certificate(value: Cbor, where: str) -> bytes:
    return as_bytes(value, where, low=1, high=_MAX_CERTIFICATE_BYTES)


def _optional(fields: CborMap, name: str, *, low: int) -> bytes | None:
    value = fields.get(name)
    return None if value is None else as_bytes(value, name, low=low, high=_MAX_FIELD_BYTES)
