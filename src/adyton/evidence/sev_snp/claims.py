"""SEV-SNP claims in the form that all technologies share."""

from collections.abc import Mapping
from types import MappingProxyType

from adyton.codec.json import Json
from adyton.evidence.sev_snp.authenticate import SnpClaims
from adyton.evidence.sev_snp.findings import findings
from adyton.evidence.sev_snp.product import TcbVersion
from adyton.model.claims import Claims, Platform, Tcb, Technology

__all__ = ["claims_of"]


def claims_of(claims: SnpClaims) -> Claims:
    """Return what an authentic report says.

    AMD has no word for the state of a platform: its versions are for a policy to compare.
    """
    report = claims.report
    return Claims(
        technology=Technology.SEV_SNP,
        platform=Platform.of(Technology.SEV_SNP, is_genuine=claims.is_genuine),
        root=claims.root,
        root_sha256=claims.root_sha256,
        instance=claims.vek.hwid.hex() if claims.vek.hwid is not None else claims.vek.csp_id or "",
        measurements=MappingProxyType({**claims.measurements}),
        numbers=MappingProxyType(
            {
                "guest_svn": report.guest_svn,
                # The host has no level of its own.
                **({} if report.vmpl is None else {"vmpl": report.vmpl}),
                "policy": int(report.policy),
                **_numbers(claims.reported, ""),
                **_numbers(claims.committed, "committed_"),
                **_numbers(claims.launch, "launch_"),
            }
        ),
        configuration=findings(report),
        tcb=Tcb(
            is_revocation_checked=claims.crl is not None,
            windows=() if claims.crl is None else (claims.crl,),
        ),
        report_data=report.report_data,
        nonce=None,
        public_key=None,
        issued=None,
        first=claims.first,
        last=claims.last,
        windows=claims.windows,
        details=MappingProxyType(_details(claims)),
        signed_sha256=claims.signed_sha256,
    )


def _numbers(versions: TcbVersion, prefix: str) -> Mapping[str, int]:
    names = ("bl", "tee", "snp", "ucode", "fmc")
    found = {name: getattr(versions, name) for name in names}
    return {f"{prefix}{name}": svn for name, svn in found.items() if svn is not None}


def _details(claims: SnpClaims) -> dict[str, Json]:
    report = claims.report
    return {
        "report_version": report.version,
        "product": claims.generation.value,
        "signing_key": claims.signing_key.name.lower(),
        "report_id": report.report_id.hex(),
        "current_version": str(report.current_version),
        "committed_version": str(report.committed_version),
        "platform_info": int(report.platform_info),
        "vek_sha256": claims.vek_sha256.hex(),
    }
