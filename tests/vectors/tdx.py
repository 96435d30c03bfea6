"""What the manifest says of TDX quotes and of Azure's bundles, beside what we find."""

from collections.abc import Iterator
from typing import Final

from tests.vectors.dcap import Case, cases, collateral_of, platform_facts, quotes, tcb_facts
from tests.vectors.manifest import ACCEPTED, Entry, Fact, content

from adyton.errors import AdytonError
from adyton.evidence.azure.tdx import AzureTdxClaims
from adyton.evidence.azure.tdx import authenticate as authenticate_azure
from adyton.evidence.dcap.endorsements import DcapCache
from adyton.evidence.dcap.layout import Quote
from adyton.evidence.dcap.roots import INTEL_ROOTS
from adyton.evidence.tdx.authenticate import TdxClaims, authenticate
from adyton.evidence.tdx.findings import findings
from adyton.evidence.tdx.layout import TdAttributes

__all__ = ["authenticated", "azure_authenticated", "facts", "is_bundle"]

SAMPLE_ROOT: Final = "REJECT: root is Intel SAMPLE root, not production"
# Another verifier's reasons, in the manifest's words; ours, and the state of the TCB beside. Where
# it found no level, it had not looked at the TD yet, and the manifest says nothing about that.
REFUSALS: Final = {
    "SEPT_VE_DISABLE is not enabled": ("sept-ve-not-disabled", "UpToDate"),
    "Invalid MR service TD": ("service-td-bound", "UpToDate"),
    "Debug mode is enabled": ("debug-mode", "UpToDate"),
    "No matching TCB level found": (None, "NotSupported"),
}
BUNDLE: Final = "tdx/azure-vtpm-tdx-evidence.json"
# The quote in the bundle is this one, in its padding.
BUNDLED: Final = "tdx/azure-2026.quote.bin"


def is_bundle(entry: Entry) -> bool:
    """Return whether an entry is a bundle around a quote."""
    return bool(entry["file"] == BUNDLE)


def authenticated(case: Case, *, cache: DcapCache | None = None) -> TdxClaims:
    """Return the claims of a quote at a case's instant."""
    return authenticate(
        content(case.entry),
        roots=INTEL_ROOTS,
        at=case.at,
        collateral=collateral_of(case),
        cache=cache,
    )


def azure_authenticated(entry: Entry) -> tuple[Case, AzureTdxClaims]:
    """Return the claims of a bundle, and the case of the quote that is in it."""
    (quote,) = [item for item in quotes("tdx") if item["file"] == BUNDLED]
    (case,) = cases(quote)
    return case, authenticate_azure(
        content(entry), roots=INTEL_ROOTS, at=case.at, collateral=collateral_of(case)
    )


def facts(entry: Entry) -> Iterator[Fact]:
    """Yield verdicts and fields of a quote, or of a bundle around one."""
    if is_bundle(entry):
        yield from _bundle_facts(entry)
        return
    if entry["verdict"] == SAMPLE_ROOT:
        yield from _refusal(entry)
        return
    for case in cases(entry):
        claims = authenticated(case)
        code, status = _refused(case)
        if code is not None:
            yield Fact.verdict([item.code for item in findings(claims.report)], code)
        yield from tcb_facts(case, claims.dcap, refused_as=status)
    yield from platform_facts(entry, claims.dcap)
    yield from _report_facts(entry, claims)


def _refusal(entry: Entry) -> Iterator[Fact]:
    (case,) = cases(entry)
    try:
        authenticated(case)
    except AdytonError as error:
        # Its certificates are not in pem, as the type of the certification data says.
        yield Fact.verdict([error.code], "malformed")
    else:
        yield Fact.verdict([], SAMPLE_ROOT)


def _refused(case: Case) -> tuple[str | None, str | None]:
    evaluation = case.evaluation
    if evaluation is None or evaluation["tcb_status"] != "ERROR":
        return ACCEPTED, None
    (reason,) = evaluation["advisories_or_error"]
    return REFUSALS[reason]


def _report_facts(entry: Entry, claims: TdxClaims) -> Iterator[Fact]:
    fields, report = entry["fields"], claims.report
    quote = Quote.from_bytes(content(entry))
    names = {
        "mr_seam": "mrseam",
        "mr_signer_seam": "mrsignerseam",
        "mr_td": "mrtd",
        "mr_config_id": "mrconfigid",
        "mr_owner": "mrowner",
        "mr_owner_config": "mrownerconfig",
        **{f"rtmr{index}": f"rtmr{index}" for index in range(4)},
    }
    for name, found in {
        "tee_type": f"{quote.tee_type:#x}",
        "tee_tcb_svn": report.tee_tcb_svn.hex(),
        "td_attributes": report.td_attributes.hex(),
        "xfam": report.xfam.hex(),
        "report_data": report.report_data.hex(),
        "debug": report.debug,
        "sept_ve_disable": bool(report.attributes & TdAttributes.SEPT_VE_DISABLE),
        **{theirs: claims.measurements[ours].hex() for ours, theirs in names.items()},
    }.items():
        yield Fact(name=name, found=found, wanted=fields[name])
    yield Fact(name="body_type", found=quote.body_type.value, wanted=fields.get("body_type", 2))
    for name, later in [
        ("tee_tcb_svn2", report.tee_tcb_svn2),
        ("mrservicetd", report.mr_service_td),
    ]:
        yield Fact(name=name, found=None if later is None else later.hex(), wanted=fields.get(name))


def _bundle_facts(entry: Entry) -> Iterator[Fact]:
    case, claims = azure_authenticated(entry)
    yield Fact.verdict([item.code for item in findings(claims.tdx.report)], ACCEPTED)
    yield Fact(name="the quote inside", found=claims.tdx, wanted=authenticated(case))
    yield from tcb_facts(case, claims.tdx.dcap, refused_as=None)
    yield Fact(name="nonce", found=claims.vtpm.nonce, wanted=b"attestation-test-fixture")
    yield Fact(name="secure-boot", found=claims.vtpm.configuration.get("secure-boot"), wanted=True)
    yield Fact(name="registers", found=len(claims.vtpm.registers), wanted=24)
