"""Real reports of SEV-SNP guests, at times of their certificates, and broken companions.

Read from ``ADYTON_VECTORS`` or from ``../shared/vectors`` beside the repository; not committed, for
the files have licences of their own. Without them, the fake vendor tests the same checks.
"""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from tests.vectors.dcap import MANIFEST, VECTORS, all_entries, quote_of

from adyton.crypto.path import CertificateTimeRejectedError, PathCache
from adyton.errors import AdytonError, RejectedError
from adyton.evidence.azure.snp import authenticate as authenticate_azure
from adyton.evidence.sev_snp.authenticate import SnpClaims, authenticate
from adyton.evidence.sev_snp.collateral import SnpCollateral
from adyton.evidence.sev_snp.findings import findings
from adyton.evidence.sev_snp.layout import GuestPolicy, Report
from adyton.evidence.sev_snp.roots import AMD_ROOTS

ENTRIES: Final = all_entries("snp")
REPORTS: Final = [entry for entry in ENTRIES if entry["file"].endswith(".report.bin")]
# What the certificates of other chips are companions of.
COMPANION: Final = "snp/milan-v2-azure-trustee.report.bin"

pytestmark = pytest.mark.skipif(
    not MANIFEST.exists(), reason=f"no attestation vectors in {VECTORS} (set ADYTON_VECTORS)"
)


def certificate(name: str) -> bytes:
    data: bytes = (VECTORS / "snp" / "certs" / f"{name}.der").read_bytes()
    return data


def collateral_of(entry: dict[str, Any]) -> SnpCollateral:
    issuer = entry["fields"]["issuer"]
    return SnpCollateral(
        ark=certificate(f"ARK-{issuer.rpartition('-')[2]}"),
        authority=certificate(issuer),
        vek=(VECTORS / entry["fields"]["vek_file"]).read_bytes(),
        crl=None,
    )


def window(entry: dict[str, Any]) -> tuple[datetime, datetime]:
    first, last = entry["fields"]["vek_validity"]
    return datetime.fromisoformat(f"{first}Z"), datetime.fromisoformat(f"{last}Z")


def authenticated(entry: dict[str, Any], **changes: Any) -> SnpClaims:
    arguments: dict[str, Any] = {
        "collateral": collateral_of(entry),
        "roots": AMD_ROOTS,
        "at": window(entry)[0],
        **changes,
    }
    return authenticate(quote_of(entry), **arguments)


def test_the_manifest_has_all_its_entries() -> None:
    assert len(ENTRIES) == 16
    # Two are certificates of other chips, and one is a bundle around a report.
    assert len(REPORTS) == 13


@pytest.mark.parametrize("entry", REPORTS, ids=lambda entry: entry["file"])
def test_every_report_has_its_expected_verdict(entry: dict[str, Any]) -> None:
    claims = authenticated(entry)
    assert claims.is_genuine
    codes = [finding.code for finding in findings(claims.report)]
    assert entry["verdict"] in {"ACCEPT", "REJECT debug"}
    assert codes == (["debug-mode"] if entry["verdict"] == "REJECT debug" else [])
    assert claims.report.debug is entry["fields"]["debug"]


@pytest.mark.parametrize("entry", REPORTS, ids=lambda entry: entry["file"])
def test_every_field_has_its_expected_value(entry: dict[str, Any]) -> None:
    fields, claims = entry["fields"], authenticated(entry)
    report = claims.report
    for name in (
        "family_id",
        "image_id",
        "current_tcb",
        "report_data",
        "measurement",
        "host_data",
        "id_key_digest",
        "report_id",
        "reported_tcb",
        "chip_id",
        "committed_tcb",
        "launch_tcb",
    ):
        value: bytes = getattr(report, name)
        assert value.hex() == fields[name], name
    for name in ("version", "guest_svn", "vmpl", "mask_chip_key", "author_key_en"):
        assert getattr(report, name) == fields[name], name
    assert report.signature_algo == fields["sig_algo"]
    assert report.policy == int(fields["policy"], 16)
    assert bool(report.policy & GuestPolicy.SMT) is fields["smt"]
    assert bool(report.policy & GuestPolicy.MIGRATE_MA) is fields["migrate_ma"]
    assert report.platform_info == int(fields["platform_info"], 16)
    assert report.key_info == int(fields["key_info"], 16)
    assert bytes(report.processor or (0, 0, 0)).hex() == fields["cpuid_fam_mod_step"]
    assert str(report.current_version) == fields["current_ver"]
    assert str(report.committed_version) == fields["committed_ver"]
    assert claims.signing_key.name == fields["signing_key"]
    decoded = {"fmc": None, **fields["reported_tcb_decoded"]}
    assert {name: getattr(claims.reported, name) for name in decoded} == decoded
    extensions = fields["vek_ext"]
    for name in ("bl", "tee", "snp", "ucode", "fmc"):
        assert getattr(claims.vek.tcb, name) == extensions[f"{name}_spl"]
    assert claims.vek.product == extensions["product"]
    # The manifest has the beginning of it.
    assert (claims.vek.hwid or b"").hex().startswith(extensions["hwid"] or "")
    assert (claims.vek.hwid is None) is (extensions["hwid"] is None)
    assert f"SEV-{claims.signing_key.name}" == fields["vek"]
    assert [claims.first, claims.last] == list(window(entry))


@pytest.mark.parametrize("entry", REPORTS, ids=lambda entry: entry["file"])
def test_a_report_is_refused_outside_of_its_certificates_validity(entry: dict[str, Any]) -> None:
    first, last = window(entry)
    for at in (first - timedelta(seconds=1), last + timedelta(seconds=1)):
        with pytest.raises(CertificateTimeRejectedError):
            authenticated(entry, at=at)


@pytest.mark.parametrize(
    "entry",
    [entry for entry in ENTRIES if entry["file"].endswith(".der")],
    ids=lambda entry: entry["file"],
)
def test_a_certificate_of_another_chip_is_refused(entry: dict[str, Any]) -> None:
    assert entry["verdict"].startswith("REJECT")
    (report,) = [item for item in REPORTS if item["file"] == COMPANION]
    with pytest.raises(AdytonError):
        authenticated(report, collateral=replace(collateral_of(report), vek=quote_of(entry)))


def test_every_chain_is_refused_for_every_other_report() -> None:
    for entry in REPORTS:
        for other in REPORTS:
            if entry is not other:
                with pytest.raises(RejectedError):
                    authenticated(
                        entry, collateral=collateral_of(other), at=datetime(2025, 1, 30, tzinfo=UTC)
                    )


def test_one_cache_for_all_reports_gives_the_same_claims() -> None:
    cache = PathCache()
    for entry in REPORTS:
        first = authenticated(entry, cache=cache)
        assert authenticated(entry, cache=cache) == first == authenticated(entry)


def test_an_azure_bundle_has_its_expected_verdict() -> None:
    (entry,) = [item for item in ENTRIES if "azure-vtpm" in item["file"]]
    assert entry["verdict"].startswith("ACCEPT")
    claims = authenticate_azure(
        quote_of(entry),
        authorities=(certificate("ARK-Milan"), certificate("SEV-Milan")),
        roots=AMD_ROOTS,
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert claims.snp.root == "amd-milan"
    assert claims.snp.report.version == 3
    assert findings(claims.snp.report) == ()
    assert claims.vtpm.nonce == b"attestation-test-fixture"
    assert claims.vtpm.configuration["secure-boot"] is True
    assert len(claims.vtpm.registers) == 24


def test_no_flipped_bit_of_a_real_reports_signed_part_is_accepted() -> None:
    entry = REPORTS[0]
    data, cache = quote_of(entry), PathCache()
    collateral, at = collateral_of(entry), window(entry)[0]
    for bit in range(8 * len(Report.from_bytes(data).signed_bytes)):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AdytonError):
            authenticate(bytes(broken), collateral=collateral, roots=AMD_ROOTS, at=at, cache=cache)


def test_the_pins_are_those_of_the_genuine_certificates() -> None:
    for name, digest in AMD_ROOTS.items():
        ark = certificate(f"ARK-{name.removeprefix('amd-').title()}")
        assert hashlib.sha256(ark).digest() == digest
