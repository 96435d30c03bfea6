"""What the manifest says of SGX quotes, beside what we find."""

from collections.abc import Iterator
from typing import Final

from tests.vectors.dcap import Case, cases, collateral_of, platform_facts, tcb_facts
from tests.vectors.manifest import ACCEPTED, Entry, Fact, content

from adyton.errors import AdytonError
from adyton.evidence.dcap.endorsements import DcapCache
from adyton.evidence.dcap.layout import Quote
from adyton.evidence.dcap.roots import INTEL_ROOTS
from adyton.evidence.sgx.authenticate import SgxClaims, authenticate
from adyton.evidence.sgx.findings import findings

__all__ = ["authenticated", "facts"]

# What the manifest wants to have refused, and our reason. The second would end at the root of
# Intel's samples; it does not get there, for it does not bring its certificates.
REJECTED: Final = {
    "REJECT quote signature": "signature-rejected",
    "REJECT: root is Intel SAMPLE root, not production": "pck-chain-missing",
}
# The state of debug enclaves' platforms, of which the manifest has only that they were refused.
DEBUG: Final = {
    "sgx/automata-debug.quote.bin": "ConfigurationAndSWHardeningNeeded",
    "sgx/occlum-debug.quote.bin": "OutOfDate",
}


def authenticated(case: Case, *, cache: DcapCache | None = None) -> SgxClaims:
    """Return the claims of a quote at a case's instant."""
    return authenticate(
        content(case.entry),
        roots=INTEL_ROOTS,
        at=case.at,
        collateral=collateral_of(case),
        cache=cache,
    )


def facts(entry: Entry) -> Iterator[Fact]:
    """Yield verdicts and fields of a quote."""
    is_debug = entry["fields"]["debug"]
    wanted = REJECTED.get(entry["verdict"], "debug-mode" if is_debug else ACCEPTED)
    for case in cases(entry):
        try:
            claims = authenticated(case)
        except AdytonError as error:
            yield Fact.verdict([error.code], wanted)
            return
        yield Fact.verdict([finding.code for finding in findings(claims.report)], wanted)
        yield from tcb_facts(case, claims.dcap, refused_as=DEBUG.get(entry["file"]))
    yield from platform_facts(entry, claims.dcap)
    quote, report = Quote.from_bytes(content(entry)), claims.report
    for name, found in {
        "tee_type": f"{quote.tee_type:#x}",
        "qe_svn": quote.qe_svn,
        "cpu_svn": report.cpu_svn.hex(),
        "attributes": report.attributes.hex(),
        "mrenclave": claims.measurements["mr_enclave"].hex(),
        "mrsigner": claims.measurements["mr_signer"].hex(),
        "isv_prod_id": report.isv_prod_id,
        "isv_svn": report.isv_svn,
        "report_data": report.report_data.hex(),
        "debug": report.debug,
    }.items():
        yield Fact(name=name, found=found, wanted=entry["fields"][name])
