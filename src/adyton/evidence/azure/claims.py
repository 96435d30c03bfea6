"""Claims of Azure VMs in the form that all technologies share.

What the hardware measured is the paravisor; what runs above it is in the registers of the vTPM, and
so is what the code inside asked to have signed: the nonce of the TPM's quote.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from adyton.crypto.hashing import prefixed, sha256
from adyton.evidence.azure.snp import AzureSnpClaims
from adyton.evidence.azure.tdx import AzureTdxClaims
from adyton.evidence.azure.vtpm import VtpmClaims
from adyton.evidence.sev_snp.claims import claims_of as claims_of_snp
from adyton.evidence.tdx.claims import claims_of as claims_of_tdx
from adyton.model.claims import Claims, Platform, Technology
from adyton.model.verdict import Finding, finding

__all__ = ["claims_of_azure_snp", "claims_of_azure_tdx"]


def claims_of_azure_tdx(claims: AzureTdxClaims) -> Claims:
    """Return what authentic evidence of a VM on TDX says."""
    return _of_vm(claims_of_tdx(claims.tdx), claims.vtpm, Technology.AZURE_TDX)


def claims_of_azure_snp(claims: AzureSnpClaims) -> Claims:
    """Return what authentic evidence of a VM on SEV-SNP says."""
    return _of_vm(claims_of_snp(claims.snp), claims.vtpm, Technology.AZURE_SEV_SNP)


def _of_vm(hardware: Claims, vtpm: VtpmClaims, technology: Technology) -> Claims:
    is_genuine = hardware.platform is not Platform.INSECURE
    return replace(
        hardware,
        technology=technology,
        platform=Platform.of(technology, is_genuine=is_genuine),
        measurements=MappingProxyType({**hardware.measurements, **_registers(vtpm)}),
        configuration=(*hardware.configuration, *_configuration(vtpm)),
        # The hardware's is over the vTPM's key, as was shown. The guest's is in the TPM's quote.
        report_data=vtpm.nonce,
        details=MappingProxyType(
            {
                **hardware.details,
                "vm_configuration": {**vtpm.configuration},
                "vm_user_data": vtpm.user_data.hex(),
                "reset_count": vtpm.reset_count,
                "restart_count": vtpm.restart_count,
            }
        ),
        signed_sha256=sha256(prefixed(hardware.signed_sha256, vtpm.signed_sha256)),
    )


def _registers(vtpm: VtpmClaims) -> Mapping[str, bytes]:
    return {f"pcr{index}": value for index, value in vtpm.registers.items()}


def _configuration(vtpm: VtpmClaims) -> tuple[Finding, ...]:
    # Anything but a plain "yes" is no secure boot.
    if vtpm.configuration.get("secure-boot") is True:
        return ()
    text = "the vm's secure boot is off, or the paravisor does not say that it is on"
    return (finding("vm-secure-boot-off", text),)
