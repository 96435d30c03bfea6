"""What a chip's certificate says about the chip: AMD's extensions of it.

Follows "VCEK Certificate and KDS Interface Specification" (AMD 57230), tables "VCEK Certificate
Extension OIDs" and "VLEK Certificate Extension OIDs". An extension under AMD's identifiers that
these tables do not have is refused: nobody here would know what it changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from adyton.codec.der import DerReader
from adyton.codec.reader import Reader
from adyton.errors import MalformedError
from adyton.evidence.sev_snp.product import Generation, TcbVersion

__all__ = ["Vek"]

_AMD: Final = "1.3.6.1.4.1.3704.1."
_STRUCT_VERSION, _PRODUCT_NAME, _HWID, _CSP_ID = (_AMD + name for name in ("1", "2", "4", "5"))
_BL, _TEE, _SNP, _SPL4, _SPL5, _SPL6, _SPL7, _UCODE, _FMC = (f"{_AMD}3.{n}" for n in range(1, 10))
# What the layout of the certificate is called, by its generation: Turin's has the FMC in the place
# of SPL 4.
_LAYOUTS: Final[Mapping[bool, tuple[int, frozenset[str]]]] = MappingProxyType(
    {
        False: (0, frozenset({_SPL4, _SPL5, _SPL6, _SPL7})),
        True: (1, frozenset({_SPL5, _SPL6, _SPL7})),
    }
)
_IA5_STRING: Final = 0x16
_MAX_TEXT: Final = 127
_MAX_SPL: Final = 0xFF
# Processors that have chains of another name than their own.
_PRODUCTS: Final[Mapping[str, Generation]] = MappingProxyType(
    {
        "Milan": Generation.MILAN,
        "Genoa": Generation.GENOA,
        "Siena": Generation.GENOA,
        "Turin": Generation.TURIN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vek:
    """A chip's certificate (VCEK), or one of an operator of many (VLEK).

    ``product`` is the processor, with its stepping behind a hyphen in older ones. ``tcb`` are the
    versions of the firmware that the key is for. ``hwid`` is the chip of a VCEK, and ``csp_id`` the
    operator of a VLEK.
    """

    product: str
    generation: Generation
    tcb: TcbVersion
    hwid: bytes | None
    csp_id: str | None

    @classmethod
    def from_extensions(cls, extensions: Mapping[str, bytes]) -> "Vek":
        """Return what is in a certificate's extensions, or raise ``MalformedError``."""
        left = {oid: value for oid, value in extensions.items() if oid.startswith(_AMD)}
        product = _text(left, _PRODUCT_NAME)
        generation = _PRODUCTS.get(product.split("-", maxsplit=1)[0])
        if generation is None:
            raise _malformed(f"is for the unknown product {product!r}")
        has_fmc = generation is Generation.TURIN
        layout, unused = _LAYOUTS[has_fmc]
        if (found := _integer(left, _STRUCT_VERSION)) != layout:
            raise _malformed(f"has extensions of version {found}, not {layout}")
        # Components that do not exist yet. The report has no place for them.
        if any(_integer(left, oid) for oid in unused):
            raise _malformed("has the version of a component that nobody knows")
        vek = cls(
            product=product,
            generation=generation,
            tcb=TcbVersion(
                bl=_integer(left, _BL),
                tee=_integer(left, _TEE),
                snp=_integer(left, _SNP),
                ucode=_integer(left, _UCODE),
                fmc=_integer(left, _FMC) if has_fmc else None,
            ),
            hwid=_hwid(left, generation) if _HWID in left else None,
            csp_id=_text(left, _CSP_ID) if _CSP_ID in left else None,
        )
        if left:
            raise _malformed(f"has the unknown extension {min(left)}")
        return vek


def _value(left: dict[str, bytes], oid: str) -> bytes:
    """Return one value, and take it out of ``left``: what remains there is unknown."""
    if oid not in left:
        raise _malformed(f"lacks the extension {oid}")
    return left.pop(oid)


def _integer(left: dict[str, bytes], oid: str) -> int:
    reader = DerReader(_value(left, oid), where=f"the extension {oid}")
    value = reader.integer("the value")
    reader.finish()
    if not 0 <= value <= _MAX_SPL:
        raise _malformed(f"has {value} in the extension {oid}, not 0 to {_MAX_SPL}")
    return value


def _text(left: dict[str, bytes], oid: str) -> str:
    where = f"the extension {oid}"
    reader = Reader(_value(left, oid), where=where)
    # A text of up to 127 characters has its length in one byte.
    if reader.u8("the tag") != _IA5_STRING or (size := reader.u8("the length")) > _MAX_TEXT:
        raise _malformed(f"has something else than a short text in {where}")
    content = reader.take(size, "the text")
    reader.finish()
    if not content.isascii():
        raise _malformed(f"has something else than ascii in {where}")
    return content.decode("ascii")


def _hwid(left: dict[str, bytes], generation: Generation) -> bytes:
    # As it is: AMD writes no octet string around it.
    value = _value(left, _HWID)
    if len(value) != generation.hwid_size:
        raise _malformed(f"has a hwid of {len(value)} bytes, not {generation.hwid_size}")
    return value


def _malformed(what: str) -> MalformedError:
    return MalformedError(f"the chip's certificate {what}")
