"""Real quotes of SGX enclaves, at their own times, under Intel's own collateral.

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
    cases,
    collateral_of,
    entries,
    evaluations,
    pck_instant,
    quote_of,
)

from adyton.crypto.path import ES256, CertificateRejectedError, verify_path
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import AdytonError
from adyton.evidence.dcap.endorsements import DcapCache
from adyton.evidence.dcap.layout import CertificationRejectedError, Quote
from adyton.evidence.dcap.roots import (
    INTEL_ROOTS,
    INTEL_SGX_ROOT_CA,
    INTEL_SGX_ROOT_CA_2018,
)
from adyton.evidence.sgx.authenticate import SgxClaims, authenticate
from adyton.evidence.sgx.findings import findings

# What is refused, and why. The third has a flipped bit in its authority's certificate (the type of
# "organization" in the name), which the manifest overlooked: the quote is intact, its chain is not.
REJECTED: Final[dict[str, type[AdytonError]]] = {
    "sgx/fortanix-corrupted-chain.quote.bin": SignatureRejectedError,
    "sgx/intel-sample-test-root.quote.bin": CertificationRejectedError,
    "sgx/oe-report-bad.quote.bin": CertificateRejectedError,
}
# The state of debug enclaves' platforms, of which the manifest has only that they were refused.
DEBUG: Final = {
    "sgx/automata-debug.quote.bin": "ConfigurationAndSWHardeningNeeded",
    "sgx/occlum-debug.quote.bin": "OutOfDate",
}

pytestmark = pytest.mark.skipif(
    not MANIFEST.exists(), reason=f"no attestation vectors in {VECTORS} (set ADYTON_VECTORS)"
)


def authenticated(case: Case, *, cache: DcapCache | None = None) -> SgxClaims:
    return authenticate(
        quote_of(case.entry),
        roots=INTEL_ROOTS,
        at=case.at,
        collateral=collateral_of(case),
        cache=cache,
    )


def test_the_manifest_has_all_its_entries() -> None:
    assert len(entries("sgx")) == 13


@pytest.mark.parametrize("entry", entries("sgx"), ids=lambda entry: entry["file"])
def test_every_quote_has_its_expected_verdict(entry: dict[str, Any]) -> None:
    if entry["file"] in REJECTED:
        with pytest.raises(REJECTED[entry["file"]]):
            authenticate(quote_of(entry), roots=INTEL_ROOTS, at=pck_instant(entry))
        return
    for case in cases(entry):
        claims = authenticated(case)
        assert claims.dcap.is_genuine
        assert claims.report.debug is entry["fields"]["debug"]
        if case.evaluation is None:
            assert claims.dcap.tcb is None
            continue
        tcb, evaluation = claims.dcap.tcb, case.evaluation
        assert tcb is not None
        assert tcb.evaluation_number == evaluation["tcb_eval_number"]
        assert tcb.shortfalls or tcb.status != "OutOfDate"
        if evaluation["tcb_status"] == "ERROR":
            assert evaluation["advisories_or_error"] == ["Debug mode is enabled"]
            assert "debug-mode" in {finding.code for finding in findings(claims.report)}
            assert tcb.status == DEBUG[entry["file"]]
        else:
            assert tcb.status == evaluation["tcb_status"]
            assert list(tcb.advisories) == evaluation["advisories_or_error"]
            assert findings(claims.report) == ()


@pytest.mark.parametrize(
    "entry",
    [entry for entry in entries("sgx") if entry["file"] not in REJECTED],
    ids=lambda entry: entry["file"],
)
def test_every_field_has_its_expected_value(entry: dict[str, Any]) -> None:
    fields = entry["fields"]
    quote = Quote.from_bytes(quote_of(entry))
    claims = authenticated(cases(entry)[-1])
    report = claims.report
    assert quote.version == fields["version"]
    assert quote.tee_type == int(fields["tee_type"], 16)
    assert quote.qe_svn == fields["qe_svn"]
    assert quote.user_data.hex() == claims.dcap.user_data.hex() == fields["header_user_data"]
    assert report.cpu_svn.hex() == fields["cpu_svn"]
    assert report.attributes.hex() == fields["attributes"]
    assert claims.measurements["mr_enclave"].hex() == fields["mrenclave"]
    assert claims.measurements["mr_signer"].hex() == fields["mrsigner"]
    assert report.isv_prod_id == fields["isv_prod_id"]
    assert report.isv_svn == fields["isv_svn"]
    assert report.report_data.hex() == fields["report_data"]
    assert claims.dcap.pck.fmspc.hex() == fields["fmspc"]
    assert f"{claims.dcap.pck_serial:x}" == fields["pck_serial"]
    assert claims.dcap.pck_authority == fields["pck_issuer"]


@pytest.mark.parametrize("case", evaluations("sgx"), ids=str)
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
    for case in evaluations("sgx"):
        first = authenticated(case, cache=cache)
        assert authenticated(case, cache=cache) == first
        assert authenticated(case) == first


def test_the_bad_chain_is_good_once_the_flipped_bit_is_flipped_back() -> None:
    (entry,) = [entry for entry in entries("sgx") if "oe-report-bad" in entry["file"]]
    quote = quote_of(entry)
    chain = Quote.from_bytes(quote).pck_chain
    # The type of an attribute of the subject: 2.5.68.10, where "organization" is 2.5.4.10.
    assert chain[1].count(bytes.fromhex("060355440a")) == 1
    repaired = chain[1].replace(bytes.fromhex("060355440a"), bytes.fromhex("060355040a"))
    path = verify_path((chain[2], repaired, chain[0]), roots=INTEL_ROOTS, suite=ES256)
    assert path.root_sha256 == INTEL_SGX_ROOT_CA_2018


def test_both_certificates_of_intels_root_have_one_key() -> None:
    found = {
        entry["file"]: Quote.from_bytes(quote_of(entry)).pck_chain
        for entry in entries("sgx")
        if entry["file"] not in REJECTED
    }
    first = found["sgx/fortanix-debug-2020.quote.bin"]
    today = found["sgx/zkdcap.quote.bin"]
    old = verify_path((first[1], first[2], first[0]), roots=INTEL_ROOTS, suite=ES256)
    new = verify_path((today[2], today[1], today[0]), roots=INTEL_ROOTS, suite=ES256)
    assert [old.root_sha256, new.root_sha256] == [INTEL_SGX_ROOT_CA_2018, INTEL_SGX_ROOT_CA]
    assert old.certificates[0].public_key_info == new.certificates[0].public_key_info
    assert old.certificates[0].subject == new.certificates[0].subject
