"""The claims of Azure Attestation's tokens: "Claim sets" and "EAT profile for TDX" (Microsoft).

A confidential virtual machine's token is about its vTPM, and has what the service says of the
hardware below in ``x-ms-isolation-tee``; one without that is of a machine which its host can read.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from adyton.errors import MalformedError
from adyton.evidence.token.members import Members
from adyton.evidence.token.reported import DEBUG_DISABLED, Reported, Tee
from adyton.evidence.token.tdx import read_measurements, read_report_data
from adyton.model.verdict import Finding, finding

__all__ = ["read"]

_TYPE: Final = "x-ms-attestation-type"
_VM: Final = "x-ms-azurevm-"
_SNP: Final = "x-ms-sevsnpvm-"
_SGX: Final = "x-ms-sgx-"
# With one of these, whoever is at the other end of a cable looks inside.
_DEBUGGERS: Final = ("bootdebug-enabled", "hypervisordebug-enabled", "kerneldebug-enabled")
_COMPLIANT: Final = "azure-compliant-"


def read(claims: Members) -> Reported:
    """Return what Azure says of an enclave or a machine, or raise ``MalformedError``."""
    kind = claims.text(_TYPE)
    if kind == "azurevm":
        return _machine(claims)
    if kind not in _READERS:
        raise MalformedError(f"claims.{_TYPE} is {kind[:64]!r}, which is not known here")
    return _READERS[kind](claims)


def _machine(claims: Members) -> Reported:
    isolation, machine = claims.inner("x-ms-isolation-tee"), claims.text(_VM + "vmid")
    nonce = claims.inner("x-ms-runtime").inner("client-payload").base64_or_none("nonce")
    is_open = claims.flag_or_none(_VM + "debuggersdisabled") is not True or any(
        claims.flag_or_none(_VM + name) is not False for name in _DEBUGGERS
    )
    below = (
        read(isolation)
        if isolation.has(_TYPE) and isolation.text(_TYPE) in _READERS
        else Reported(tee=Tee.AZURE_VM, instance="", debug=True, doubts=(_UNISOLATED,))
    )
    return Reported(
        tee=below.tee,
        instance=machine,
        debug=below.debug or is_open,
        measurements=below.measurements,
        svns=below.svns,
        facts={
            **below.facts,
            **claims.facts({"os_type": _VM + "ostype", "os_distro": _VM + "osdistro"}),
        },
        # As of debuggers: what is not said is not so.
        secure_boot=claims.flag_or_none("secureboot") is True,
        tcb_status=below.tcb_status,
        nonces=() if nonce is None else (nonce,),
        report_data=below.report_data,
        doubts=below.doubts,
    )


def _sgx(claims: Members) -> Reported:
    return Reported(
        tee=Tee.SGX,
        instance="",
        debug=claims.flag(_SGX + "is-debuggable"),
        measurements={
            "mr_enclave": claims.hexadecimal(_SGX + "mrenclave", size=32),
            "mr_signer": claims.hexadecimal(_SGX + "mrsigner", size=32),
            **claims.hexadecimals({"config_id": (_SGX + "config-id", 64)}),
        },
        svns=claims.integers({"isv_prod_id": _SGX + "product-id", "isv_svn": _SGX + "svn"}),
        report_data=claims.hexadecimals({"found": (_SGX + "report-data", 64)}).get("found"),
    )


def _snp(claims: Members) -> Reported:
    return Reported(
        tee=Tee.SEV_SNP,
        instance=claims.text(_SNP + "reportid"),
        debug=claims.flag(_SNP + "is-debuggable"),
        measurements={
            "measurement": claims.hexadecimal(_SNP + "launchmeasurement", size=48),
            **claims.hexadecimals(
                {
                    "host_data": (_SNP + "hostdata", 32),
                    "id_key_digest": (_SNP + "idkeydigest", 48),
                    "author_key_digest": (_SNP + "authorkeydigest", 48),
                    "family_id": (_SNP + "familyId", 16),
                    "image_id": (_SNP + "imageId", 16),
                }
            ),
        },
        svns=claims.integers(
            {
                "guest_svn": _SNP + "guestsvn",
                "bl": _SNP + "bootloader-svn",
                "tee": _SNP + "tee-svn",
                "snp": _SNP + "snpfw-svn",
                "ucode": _SNP + "microcode-svn",
                "vmpl": _SNP + "vmpl",
            }
        ),
        facts=claims.facts({"compliance_status": _COMPLIANCE}),
        report_data=claims.hexadecimal(_SNP + "reportdata", size=64),
        doubts=_doubts(claims, may_migrate=claims.flag(_SNP + "migration-allowed")),
    )


def _tdx(claims: Members) -> Reported:
    is_debuggable = claims.flag("tdx_td_attributes_debug")
    return Reported(
        tee=Tee.TDX,
        instance="",
        debug=is_debuggable or claims.text("dbgstat") not in DEBUG_DISABLED,
        measurements=read_measurements(claims),
        svns=claims.integers({"seam_svn": "tdx_seamsvn"}),
        facts=claims.facts({"compliance_status": _COMPLIANCE}),
        tcb_status=claims.text("attester_tcb_status"),
        report_data=read_report_data(claims),
        doubts=_doubts(claims, may_migrate=False),
    )


def _doubts(claims: Members, *, may_migrate: bool) -> tuple[Finding, ...]:
    found = []
    status = claims.text_or_none(_COMPLIANCE)
    if status is None or not status.startswith(_COMPLIANT):
        text = "the service does not say that the machine is as Azure sets it up"
        found.append(finding("service-check-failed", text))
    if may_migrate:
        text = "the guest may be moved to another platform, with its secrets"
        found.append(finding("guest-migratable", text))
    return tuple(found)


_COMPLIANCE: Final = "x-ms-compliance-status"
_UNISOLATED: Final = finding(
    "service-check-failed",
    "the service says nothing of hardware that isolates the machine from its host",
)
_READERS: Final[Mapping[str, Callable[[Members], Reported]]] = MappingProxyType(
    {"sgx": _sgx, "sevsnpvm": _snp, "tdxvm": _tdx}
)
