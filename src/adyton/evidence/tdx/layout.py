"""A TD report, the body of a TDX quote: bytes to a frozen value.

Follows the tables "TD Quote Body" for TDX 1.0 and 1.5 (Intel TDX DCAP Quoting Library API, appendix
A); the meaning of attributes follows "TD Attributes" (Intel TDX Module ABI specification). What the
reports call TEE_TCB_SVN is an array of versions: the minor one of the module first, then its major
one.
"""

import struct
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from adyton.errors import MalformedError
from adyton.evidence.dcap.layout import BodyType

__all__ = ["TdAttributes", "TdReport"]

_TD_1_0: Final = struct.Struct("<16s48s48s8s8s8s48s48s48s48s48s48s48s48s64s")
_TD_1_5: Final = struct.Struct(_TD_1_0.format + "16s48s")
# The lowest byte of the attributes is the group TUD, "TD under debug". If any bit of it is set, the
# TD is not trusted, says its specification, whether or not the bit has a meaning yet.
_UNDER_DEBUG: Final = 0xFF


class TdAttributes(IntFlag):
    """The attributes of a TD that have names."""

    DEBUG = 1 << 0
    HGS_PLUS_PROF = 1 << 4
    PERF_PROF = 1 << 5
    PMT_PROF = 1 << 6
    ICSSD = 1 << 16
    LASS = 1 << 27
    SEPT_VE_DISABLE = 1 << 28
    MIGRATABLE = 1 << 29
    PKS = 1 << 30
    KL = 1 << 31
    TPA = 1 << 62
    PERFMON = 1 << 63


@dataclass(frozen=True, slots=True, kw_only=True)
class TdReport:
    """A TD's report. The last two fields are of TDX 1.5, and ``None`` before.

    ``tee_tcb_svn`` is of the module at the TD's launch, and ``tee_tcb_svn2`` of the one that runs
    now: a module can be updated under a TD.
    """

    tee_tcb_svn: bytes
    mr_seam: bytes
    mr_signer_seam: bytes
    seam_attributes: bytes
    td_attributes: bytes
    xfam: bytes
    mr_td: bytes
    mr_config_id: bytes
    mr_owner: bytes
    mr_owner_config: bytes
    rtmrs: tuple[bytes, bytes, bytes, bytes]
    report_data: bytes
    tee_tcb_svn2: bytes | None
    mr_service_td: bytes | None

    @classmethod
    def from_bytes(cls, data: bytes, body_type: BodyType) -> "TdReport":
        """Return the report in ``data``, or raise ``MalformedError``."""
        table = _TD_1_5 if body_type is BodyType.TD_1_5 else _TD_1_0
        if len(data) != table.size:
            raise MalformedError(f"a td report has {len(data)} bytes, not {table.size}")
        fields = table.unpack(data)
        tee_tcb_svn2, mr_service_td = fields[15:] or (None, None)
        return cls(
            tee_tcb_svn=fields[0],
            mr_seam=fields[1],
            mr_signer_seam=fields[2],
            seam_attributes=fields[3],
            td_attributes=fields[4],
            xfam=fields[5],
            mr_td=fields[6],
            mr_config_id=fields[7],
            mr_owner=fields[8],
            mr_owner_config=fields[9],
            rtmrs=(fields[10], fields[11], fields[12], fields[13]),
            report_data=fields[14],
            tee_tcb_svn2=tee_tcb_svn2,
            mr_service_td=mr_service_td,
        )

    @property
    def attributes(self) -> TdAttributes:
        """The attributes as flags; bits without a name are kept."""
        return TdAttributes(int.from_bytes(self.td_attributes, "little"))

    @property
    def debug(self) -> bool:
        """Whether the TD's memory or state may be looked at from outside."""
        return bool(self.td_attributes[0] & _UNDER_DEBUG)
