"""SGX evidence to claims: the steps of DCAP, and what an enclave's report says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from adyton.errors import MalformedError
from adyton.evidence.dcap.authenticate import DcapClaims, authenticate_quote, claims_of
from adyton.evidence.dcap.collateral import IntelCollateral
from adyton.evidence.dcap.enclave import EnclaveReport
from adyton.evidence.dcap.endorsements import DcapCache
from adyton.evidence.dcap.layout import TeeType

__all__ = ["SgxClaims", "authenticate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SgxClaims:
    """What an authentic quote says of an enclave, and of the platform that it runs on."""

    dcap: DcapClaims
    report: EnclaveReport

    @property
    def measurements(self) -> Mapping[str, bytes]:
        """What identifies the code, by Intel's names."""
        return {
            "mr_enclave": self.report.mr_enclave,
            "mr_signer": self.report.mr_signer,
            "config_id": self.report.config_id,
            "isv_family_id": self.report.isv_family_id,
            "isv_ext_prod_id": self.report.isv_ext_prod_id,
        }


def authenticate(
    quote: bytes,
    *,
    roots: Mapping[str, bytes],
    at: datetime,
    collateral: IntelCollateral | None = None,
    cache: DcapCache | None = None,
) -> SgxClaims:
    """Return what ``quote`` says, once it is shown to come from under one of ``roots``.

    1. The quote is authentic: the steps of ``authenticate_quote``.
    2. It is about an enclave, and its body is well formed.
    3. With ``collateral``, the state of the platform's TCB: the steps of ``claims_of``.

    Raises ``MalformedError`` or a ``RejectedError``. A debug enclave is a finding, not an error.
    """
    # Without one, for this call: the same certificates stand in several chains.
    cache = DcapCache() if cache is None else cache
    # Step 1
    authentic = authenticate_quote(quote, roots=roots, at=at, cache=cache)
    # Step 2
    if authentic.quote.tee_type is not TeeType.SGX:
        raise MalformedError("the quote is not about an sgx enclave")
    report = EnclaveReport.from_bytes(authentic.quote.body)
    # Step 3
    dcap = claims_of(authentic, module=None, collateral=collateral, roots=roots, at=at, cache=cache)
    return SgxClaims(dcap=dcap, report=report)
