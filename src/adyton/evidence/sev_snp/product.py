"""The generations of processors, and how each writes the versions of its firmware.

Follows "SEV Secure Nested Paging Firmware ABI Specification" (AMD 56860), table "TCB_VERSION", and
"VCEK Certificate and KDS Interface Specification" (AMD 57230), which says what generation a family
and model of processors belongs to.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adyton.errors import MalformedError, RejectedError

__all__ = ["TCB_SIZE", "Generation", "ProductRejectedError", "TcbVersion"]

TCB_SIZE: Final = 8


class ProductRejectedError(RejectedError):
    """Report, certificate and chain are not about processors of one known kind."""

    code = "product-rejected"

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the processor {reason}")
        self.reason = reason


class Generation(StrEnum):
    """The generations that AMD has chains for, by the names that the chains have."""

    MILAN = "Milan"
    GENOA = "Genoa"
    TURIN = "Turin"

    @classmethod
    def of_processor(cls, family: int, model: int) -> "Generation":
        """Return the generation of a processor, or raise ``ProductRejectedError``."""
        match family, model >> 4:
            case 0x19, 0x0:
                return cls.MILAN
            # The second are the processors with small cores (Bergamo, Siena).
            case 0x19, 0x1 | 0xA:
                return cls.GENOA
            case 0x1A, 0x0 | 0x1:
                return cls.TURIN
        raise ProductRejectedError(
            reason=f"of family {family:#04x} and model {model:#04x} is of no known generation"
        )

    @property
    def hwid_size(self) -> int:
        """How many bytes of a report's chip id name the chip; the others are zero."""
        return 8 if self is Generation.TURIN else 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TcbVersion:
    """The security versions of a processor's firmware. ``fmc`` is ``None`` before Turin."""

    bl: int
    tee: int
    snp: int
    ucode: int
    fmc: int | None

    @classmethod
    def from_bytes(cls, data: bytes, generation: Generation) -> "TcbVersion":
        """Return the versions in ``data``, or raise ``MalformedError``."""
        if len(data) != TCB_SIZE:
            raise MalformedError(f"a tcb version has {len(data)} bytes, not {TCB_SIZE}")
        if generation is Generation.TURIN:
            fmc: int | None
            fmc, bl, tee, snp, *reserved, ucode = data
        else:
            bl, tee, *reserved, snp, ucode = data
            fmc = None
        # A component that nobody here knows may be the one that is too old.
        if any(reserved):
            raise MalformedError(f"the tcb version {data.hex()} is none of {generation}")
        return cls(bl=bl, tee=tee, snp=snp, ucode=ucode, fmc=fmc)

    def __str__(self) -> str:
        fmc = "" if self.fmc is None else f"fmc {self.fmc}, "
        return f"{fmc}bl {self.bl}, tee {self.tee}, snp {self.snp}, ucode {self.ucode}"
