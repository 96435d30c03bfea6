"""The report of an SGX enclave: what an SGX quote is about, and who quotes for SGX and TDX alike.

Follows the table "Enclave Report Body" (Intel SGX and TDX DCAP quoting libraries, appendix A) and,
for the fields of key separation and sharing, the REPORT structure of Intel's Software Developer's
Manual, volume 3D. Numbers are little-endian.
"""

import struct
from dataclasses import dataclass
from typing import Final

from adyton.errors import MalformedError

__all__ = ["ENCLAVE_REPORT_SIZE", "EnclaveReport"]

_TABLE: Final = struct.Struct("<16s4s12s16s16s32s32s32s32s64sHHH42s16s64s")
ENCLAVE_REPORT_SIZE: Final = _TABLE.size
_ATTRIBUTE_DEBUG: Final = 0x02


@dataclass(frozen=True, slots=True, kw_only=True)
class EnclaveReport:
    """An enclave's report as the hardware writes it. ``to_bytes`` gives back what was read."""

    cpu_svn: bytes
    misc_select: bytes
    isv_ext_prod_id: bytes
    attributes: bytes
    mr_enclave: bytes
    mr_signer: bytes
    config_id: bytes
    isv_prod_id: int
    isv_svn: int
    config_svn: int
    isv_family_id: bytes
    report_data: bytes

    @classmethod
    def from_bytes(cls, data: bytes) -> "EnclaveReport":
        """Return the report in ``data``, or raise ``MalformedError``."""
        if len(data) != ENCLAVE_REPORT_SIZE:
            raise MalformedError(
                f"an enclave report has {len(data)} bytes, not {ENCLAVE_REPORT_SIZE}"
            )
        (
            cpu_svn,
            misc_select,
            reserved_1,
            isv_ext_prod_id,
            attributes,
            mr_enclave,
            reserved_2,
            mr_signer,
            reserved_3,
            config_id,
            isv_prod_id,
            isv_svn,
            config_svn,
            reserved_4,
            isv_family_id,
            report_data,
        ) = _TABLE.unpack(data)
        # The hardware writes zeros. Whatever stands there means something that nobody here knows.
        if any(reserved_1) or any(reserved_2) or any(reserved_3) or any(reserved_4):
            raise MalformedError("a reserved field of an enclave report is not zero")
        return cls(
            cpu_svn=cpu_svn,
            misc_select=misc_select,
            isv_ext_prod_id=isv_ext_prod_id,
            attributes=attributes,
            mr_enclave=mr_enclave,
            mr_signer=mr_signer,
            config_id=config_id,
            isv_prod_id=isv_prod_id,
            isv_svn=isv_svn,
            config_svn=config_svn,
            isv_family_id=isv_family_id,
            report_data=report_data,
        )

    def to_bytes(self) -> bytes:
        """Return the 384 bytes that this report was read from."""
        return _TABLE.pack(
            self.cpu_svn,
            self.misc_select,
            bytes(12),
            self.isv_ext_prod_id,
            self.attributes,
            self.mr_enclave,
            bytes(32),
            self.mr_signer,
            bytes(32),
            self.config_id,
            self.isv_prod_id,
            self.isv_svn,
            self.config_svn,
            bytes(42),
            self.isv_family_id,
            self.report_data,
        )

    @property
    def debug(self) -> bool:
        """Whether a debugger may read the enclave's memory (ATTRIBUTES.DEBUG)."""
        return bool(self.attributes[0] & _ATTRIBUTE_DEBUG)
