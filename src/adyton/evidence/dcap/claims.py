"""What SGX and TDX claims have in common, in the form that all technologies share."""

from collections.abc import Mapping
from types import MappingProxyType

from adyton.codec.json import Json
from adyton.evidence.dcap.authenticate import DcapClaims
from adyton.evidence.dcap.shortfall import Shortfall
from adyton.model.claims import Claims, Platform, Tcb, Technology
from adyton.model.verdict import Finding, finding

__all__ = ["claims_of_quote"]


def claims_of_quote(
    dcap: DcapClaims,
    technology: Technology,
    *,
    measurements: Mapping[str, bytes],
    numbers: Mapping[str, int],
    configuration: tuple[Finding, ...],
    report_data: bytes,
    details: Mapping[str, Json],
) -> Claims:
    """Return what an authentic quote says: of its platform, and beside it what its body says."""
    return Claims(
        technology=technology,
        platform=Platform.of(technology, is_genuine=dcap.is_genuine),
        root=dcap.root,
        root_sha256=dcap.root_sha256,
        # The name that Intel has for the machine.
        instance=(dcap.pck.platform_instance_id or dcap.pck.ppid).hex(),
        measurements=MappingProxyType({**measurements}),
        numbers=MappingProxyType({**numbers, **_numbers(dcap)}),
        configuration=configuration,
        tcb=_tcb(dcap),
        report_data=report_data,
        nonce=None,
        public_key=None,
        issued=None,
        first=dcap.first,
        last=dcap.last,
        windows=dcap.windows,
        details=MappingProxyType({**_details(dcap), **details}),
        signed_sha256=dcap.signed_sha256,
    )


def _tcb(claims: DcapClaims) -> Tcb:
    """Return the state of the platform's TCB; of nothing but itself where there is no collateral.

    Collateral always has lists for all that Intel revokes.
    """
    tcb = claims.tcb
    if tcb is None:
        return Tcb()
    return Tcb(
        status=tcb.status.value,
        advisories=tcb.advisories,
        date=tcb.date,
        evaluation_number=tcb.evaluation_number,
        is_revocation_checked=True,
        windows=tcb.windows,
        shortfalls=tuple(_finding(shortfall) for shortfall in tcb.shortfalls),
    )


def _numbers(claims: DcapClaims) -> Mapping[str, int]:
    """Return the security versions of the platform and of its quoting enclave."""
    components = {
        f"sgx_component_{place}": svn for place, svn in enumerate(claims.pck.components, start=1)
    }
    return {"pce_svn": claims.pck.pce_svn, "qe_svn": claims.qe_svn, **components}


def _details(claims: DcapClaims) -> Mapping[str, Json]:
    """Return what else is known of the platform."""
    return {
        "quote_version": claims.quote_version,
        "fmspc": claims.pck.fmspc.hex(),
        "pce_id": claims.pck.pce_id.hex(),
        "pck_serial": f"{claims.pck_serial:x}",
        "pck_authority": claims.pck_authority,
        "platform_type": claims.pck.platform_type.name.lower().replace("_", "-"),
    }


def _finding(shortfall: Shortfall) -> Finding:
    missing = shortfall.newest - shortfall.found
    return finding(
        "tcb-shortfall",
        f"{shortfall.component} is at {shortfall.found}, {missing} below the newest,"
        f" {shortfall.newest}",
    )
