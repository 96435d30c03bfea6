"""A vTPM's quote and the paravisor's report, held against what the hardware signed.

On Azure, a guest does not see the hardware that protects it: a paravisor answers its questions, and
gives it a virtual TPM. The hardware's evidence has a hash of what the paravisor says, with the
vTPM's attestation key in it; and that key signs the guest's measurements, and the asker's nonce.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from adyton.codec.json import Json
from adyton.crypto.hashing import sha256
from adyton.crypto.rsa import RsaPublicKey
from adyton.errors import RejectedError
from adyton.evidence.azure.hcl import HclReport, ReportType, RuntimeData
from adyton.evidence.azure.tpm import TpmQuote

__all__ = [
    "RegistersRejectedError",
    "RuntimeDataRejectedError",
    "VtpmClaims",
    "VtpmEvidence",
    "authenticate_vtpm",
]

_REGISTERS: Final = 24


class RuntimeDataRejectedError(RejectedError):
    """The hardware does not vouch for what the paravisor says."""

    code = "runtime-data-rejected"

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the paravisor's runtime data {reason}")
        self.reason = reason


class RegistersRejectedError(RejectedError):
    """The values of registers are not those that the TPM's quote is over."""

    code = "registers-rejected"

    def __init__(self) -> None:
        super().__init__("the registers are not those that the tpm's quote is over")


@dataclass(frozen=True, slots=True, kw_only=True)
class VtpmEvidence:
    """A vTPM's quote with the values of its registers, and the paravisor's report."""

    hcl_report: bytes
    message: bytes
    signature: bytes
    registers: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class VtpmClaims:
    """What a vTPM says, in a VM that the hardware vouches for.

    ``registers`` are those that the quote is over, by their index. ``nonce`` is the asker's.
    """

    registers: Mapping[int, bytes]
    nonce: bytes
    configuration: Mapping[str, Json]
    user_data: bytes
    reset_count: int
    restart_count: int
    signed_sha256: bytes


def authenticate_vtpm(
    evidence: VtpmEvidence, *, report_data: bytes, report_type: ReportType
) -> VtpmClaims:
    """Return what the vTPM says, given the ``report_data`` of authentic evidence of the hardware.

    1. The paravisor's report is well formed, and about this hardware.
    2. The hardware's report data is SHA-256 of the runtime data, and zeros behind it.
    3. The runtime data is well formed, as ``RuntimeData.from_bytes`` has it.
    4. The TPM's statement is signed by the key in it.
    5. The statement is a quote, and well formed.
    6. The registers that it selects have the values that are given: their digest is in the quote.

    Not established: that the paravisor is good (its measurement is in the hardware's evidence), or
    that the quote is recent: that is for the nonce to show.
    """
    # Step 1
    report = HclReport.from_bytes(evidence.hcl_report)
    if report.report_type is not report_type:
        raise RuntimeDataRejectedError(
            reason=f"is about {report.report_type.name}, not {report_type.name}"
        )
    # Step 2
    if report_data != sha256(report.runtime_data) + bytes(32):
        raise RuntimeDataRejectedError(reason="is not what the hardware's evidence is over")
    # Step 3
    runtime = RuntimeData.from_bytes(report.runtime_data)
    # Step 4
    modulus, exponent = runtime.key
    key = RsaPublicKey(modulus, exponent, where="the vtpm's attestation key")
    key.check(evidence.message, evidence.signature, domain="the tpm's quote")
    # Step 5
    quote = TpmQuote.from_bytes(evidence.message)
    # Step 6
    if len(evidence.registers) != _REGISTERS:
        raise RegistersRejectedError
    registers = {index: evidence.registers[index] for index in quote.selected}
    if sha256(b"".join(registers.values())) != quote.pcr_digest:
        raise RegistersRejectedError
    return VtpmClaims(
        registers=MappingProxyType(registers),
        nonce=quote.extra_data,
        configuration=runtime.configuration,
        user_data=runtime.user_data,
        reset_count=quote.reset_count,
        restart_count=quote.restart_count,
        signed_sha256=sha256(quote.signed_bytes),
    )
