"""Real quotes of TDX domains, at their own times, under Intel's own collateral.

Read from ``ADYTON_VECTORS`` or from ``../shared/vectors`` beside the repository; not committed, for
the files have licences of their own. Without them, the fake vendor tests the same checks.
"""

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from tests.vectors.dcap import (
    MANIFEST,
    VECTORS,
    Case,
    all_entries,
    cases,
    collateral_of,
    entries,
    evaluations,
    pck_instant,
    quote_of,
)

from adyton.errors import AdytonError, MalformedError
from adyton.evidence.azure.tdx import authenticate as authenticate_azure
from adyton.evidence.dcap.endorsements import DcapCache
from adyton.evidence.dcap.layout import Quote
from adyton.evidence.dcap.roots import INTEL_ROOTS
from adyton.evidence.tdx.authenticate import TdxClaims, authenticate
from adyton.evidence.tdx.findings import findings
from adyton.evidence.tdx.layout import TdAttributes

# Its certificates are not pem, as the type of the certification data says; they would end at the
# root of Intel's samples.
MALFORMED: Final = {"tdx/intel-sample-test-root.quote.bin"}
# What refused the quotes in the manifest, as findings of ours, and the state of their TCB beside.
REFUSALS: Final = {
    "SEPT_VE_DISABLE is not enabled": ("sept-ve-not-disabled", "UpToDate"),
    "Invalid MR service TD": ("service-td-bound", "UpToDate"),
    "Debug mode is enabled": ("debug-mode", "UpToDate"),
    "No matching TCB level found": (None, "NotSupported"),
}

pytestmark = pytest.mark.skipif(
    not MANIFEST.exists(), reason=f"no attestation vectors in {VECTORS} (set ADYTON_VECTORS)"
)


def authenticated(case: Case, *, cache: DcapCache | None = None) -> TdxClaims:
    return authenticate(
        quote_of(case.entry),
        roots=INTEL_ROOTS,
        at=case.at,
        collateral=collateral_of(case),
        cache=cache,
    )


def test_the_manifest_has_all_its_entries() -> None:
    assert len(all_entries("tdx")) == 20
    # One is a bundle around a quote, and no quote itself.
    assert len(entries("tdx")) == 19


@pytest.mark.parametrize("entry", entries("tdx"), ids=lambda entry: entry["file"])
def test_every_quote_has_its_expected_verdict(entry: dict[str, Any]) -> None:
    if entry["file"] in MALFORMED:
        with pytest.raises(MalformedError):
            authenticate(quote_of(entry), roots=INTEL_ROOTS, at=pck_instant(entry))
        return
    for case in cases(entry):
        claims = authenticated(case)
        tcb, evaluation = claims.dcap.tcb, case.evaluation
        assert claims.dcap.is_genuine
        assert claims.report.debug is entry["fields"]["debug"]
        assert tcb is not None
        assert evaluation is not None
        assert tcb.evaluation_number == evaluation["tcb_eval_number"]
        codes = {finding.code for finding in findings(claims.report)}
        if evaluation["tcb_status"] == "ERROR":
            code, status = REFUSALS[evaluation["advisories_or_error"][0]]
            assert tcb.status == status
            assert code is None or code in codes
        else:
            assert tcb.status == evaluation["tcb_status"]
            assert list(tcb.advisories) == evaluation["advisories_or_error"]
            assert codes == set()


@pytest.mark.parametrize(
    "entry",
    [entry for entry in entries("tdx") if entry["file"] not in MALFORMED],
    ids=lambda entry: entry["file"],
)
def test_every_field_has_its_expected_value(entry: dict[str, Any]) -> None:
    fields = entry["fields"]
    quote = Quote.from_bytes(quote_of(entry))
    claims = authenticated(cases(entry)[-1])
    report = claims.report
    assert quote.version == claims.dcap.quote_version == fields["version"]
    assert quote.tee_type == int(fields["tee_type"], 16)
    assert quote.body_type == fields.get("body_type", 2)
    assert quote.user_data.hex() == fields["header_user_data"]
    assert report.tee_tcb_svn.hex() == fields["tee_tcb_svn"]
    assert report.td_attributes.hex() == fields["td_attributes"]
    assert report.xfam.hex() == fields["xfam"]
    assert report.report_data.hex() == fields["report_data"]
    for name, expected in [
        ("mr_seam", "mrseam"),
        ("mr_signer_seam", "mrsignerseam"),
        ("mr_td", "mrtd"),
        ("mr_config_id", "mrconfigid"),
        ("mr_owner", "mrowner"),
        ("mr_owner_config", "mrownerconfig"),
        *((f"rtmr{index}", f"rtmr{index}") for index in range(4)),
    ]:
        assert claims.measurements[name].hex() == fields[expected]
    has = bool(report.attributes & TdAttributes.SEPT_VE_DISABLE)
    assert has is fields["sept_ve_disable"]
    for found, name in [
        (report.tee_tcb_svn2, "tee_tcb_svn2"),
        (report.mr_service_td, "mrservicetd"),
    ]:
        assert (None if found is None else found.hex()) == fields.get(name)
    assert claims.dcap.pck.fmspc.hex() == fields["fmspc"]
    assert f"{claims.dcap.pck_serial:x}" == fields["pck_serial"]
    assert claims.dcap.pck_authority == fields["pck_issuer"]


@pytest.mark.parametrize("case", evaluations("tdx"), ids=str)
def test_a_quote_is_refused_when_its_collateral_has_expired(case: Case) -> None:
    with pytest.raises(AdytonError):
        authenticate(
            quote_of(case.entry),
            roots=INTEL_ROOTS,
            at=datetime(2026, 11, 20, tzinfo=UTC),
            collateral=collateral_of(case),
        )


def test_one_cache_for_all_quotes_gives_the_same_claims() -> None:
    cache = DcapCache()
    for case in evaluations("tdx"):
        first = authenticated(case, cache=cache)
        assert authenticated(case, cache=cache) == first
        assert authenticated(case) == first


def test_an_azure_bundle_has_its_expected_verdict() -> None:
    (entry,) = [item for item in all_entries("tdx") if "azure-vtpm" in item["file"]]
    (quote,) = [item for item in entries("tdx") if "azure-2026" in item["file"]]
    (case,) = cases(quote)
    claims = authenticate_azure(
        quote_of(entry), roots=INTEL_ROOTS, at=case.at, collateral=collateral_of(case)
    )
    # The same quote, in its padding.
    assert claims.tdx == authenticated(case)
    assert claims.tdx.dcap.tcb is not None
    assert claims.tdx.dcap.tcb.status == "UpToDate"
    assert findings(claims.tdx.report) == ()
    assert claims.vtpm.nonce == b"attestation-test-fixture"
    assert claims.vtpm.configuration["secure-boot"] is True
    assert len(claims.vtpm.registers) == 24
