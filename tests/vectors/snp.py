"""What the manifest says of SEV-SNP reports and of their broken companions, beside what we find."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from tests.vectors.manifest import ACCEPTED, VECTORS, Entry, Fact, content, entries_of, instant

from adyton.errors import AdytonError
from adyton.evidence.azure.snp import AzureSnpClaims
from adyton.evidence.azure.snp import authenticate as authenticate_azure
from adyton.evidence.sev_snp.authenticate import SnpClaims, authenticate
from adyton.evidence.sev_snp.collateral import AmdCollateral
from adyton.evidence.sev_snp.findings import findings
from adyton.evidence.sev_snp.layout import GuestPolicy
from adyton.evidence.sev_snp.roots import AMD_ROOTS

__all__ = ["authenticated", "certificate", "collateral_of", "facts", "reports", "window"]

VERDICTS: Final = {"ACCEPT": ACCEPTED, "REJECT debug": "debug-mode"}
# What the certificates of other chips are companions of, and why each is refused: the first is of
# another chip, the second is not signed.
COMPANION: Final = "snp/milan-v2-azure-trustee.report.bin"
COMPANIONS: Final = {
    "snp/neg-test-vcek-invalid-legacy.der": "certificate-rejected",
    "snp/neg-test-vcek-invalid-new.der": "certificate-rejected",
}
AT_BUNDLE: Final = datetime(2026, 1, 1, tzinfo=UTC)


def reports() -> list[Entry]:
    """Return the entries that are reports."""
    return [entry for entry in entries_of("snp") if entry["file"].endswith(".report.bin")]


def certificate(name: str) -> bytes:
    """Return one of AMD's certificates."""
    data: bytes = (VECTORS / "snp" / "certs" / f"{name}.der").read_bytes()
    return data


def collateral_of(entry: Entry) -> AmdCollateral:
    """Return the certificates of a report."""
    issuer = entry["fields"]["issuer"]
    return AmdCollateral(
        ark=certificate(f"ARK-{issuer.rpartition('-')[2]}"),
        authority=certificate(issuer),
        vek=(VECTORS / entry["fields"]["vek_file"]).read_bytes(),
        crl=None,
    )


def window(entry: Entry) -> tuple[datetime, datetime]:
    """Return the time in which a report's certificate is valid."""
    first, last = entry["fields"]["vek_validity"]
    return instant(first), instant(last)


def authenticated(entry: Entry, **changes: Any) -> SnpClaims:
    """Return the claims of a report at the first instant of its certificate."""
    arguments: dict[str, Any] = {
        "collateral": collateral_of(entry),
        "roots": AMD_ROOTS,
        "at": window(entry)[0],
        **changes,
    }
    return authenticate(content(entry), **arguments)


def azure_authenticated(entry: Entry) -> AzureSnpClaims:
    """Return the claims of a bundle around a report."""
    return authenticate_azure(
        content(entry),
        collateral=AmdCollateral(ark=certificate("ARK-Milan"), authority=certificate("SEV-Milan")),
        roots=AMD_ROOTS,
        at=AT_BUNDLE,
    )


def facts(entry: Entry) -> Iterator[Fact]:
    """Yield verdict and fields of a report, of a bundle around one, or of a broken companion."""
    if entry["file"] in COMPANIONS:
        yield from _companion_facts(entry)
    elif entry["file"].endswith(".report.bin"):
        yield from _report_facts(entry, authenticated(entry))
    else:
        yield from _bundle_facts(entry)


def _companion_facts(entry: Entry) -> Iterator[Fact]:
    (report,) = [item for item in reports() if item["file"] == COMPANION]
    try:
        authenticated(report, collateral=replace(collateral_of(report), vek=content(entry)))
    except AdytonError as error:
        yield Fact.verdict([error.code], COMPANIONS[entry["file"]])
    else:
        yield Fact.verdict([], COMPANIONS[entry["file"]])


def _report_facts(entry: Entry, claims: SnpClaims) -> Iterator[Fact]:
    fields, report, extensions = entry["fields"], claims.report, entry["fields"]["vek_ext"]
    yield Fact.verdict([item.code for item in findings(report)], VERDICTS[entry["verdict"]])
    yield Fact(name="genuine", found=claims.is_genuine, wanted=True)
    yield Fact(name="window", found=(claims.first, claims.last), wanted=window(entry))
    for name in ("version", "guest_svn", "vmpl", "mask_chip_key", "author_key_en", "debug"):
        yield Fact(name=name, found=getattr(report, name), wanted=fields[name])
    for name, found in {
        "sig_algo": report.signature_algo,
        "policy": int(report.policy),
        "smt": bool(report.policy & GuestPolicy.SMT),
        "migrate_ma": bool(report.policy & GuestPolicy.MIGRATE_MA),
        "platform_info": int(report.platform_info),
        "key_info": report.key_info,
        "cpuid_fam_mod_step": bytes(report.processor or (0, 0, 0)).hex(),
        "current_ver": str(report.current_version),
        "committed_ver": str(report.committed_version),
        "signing_key": claims.signing_key.name,
        "vek": f"SEV-{claims.signing_key.name}",
        **{name: getattr(report, name).hex() for name in _BYTES},
    }.items():
        wanted = fields[name]
        is_number = name in {"policy", "platform_info", "key_info"}
        yield Fact(name=name, found=found, wanted=int(wanted, 16) if is_number else wanted)
    for name, number in fields["reported_tcb_decoded"].items():
        yield Fact(name=f"reported {name}", found=getattr(claims.reported, name), wanted=number)
    for name in ("bl", "tee", "snp", "ucode", "fmc"):
        found = getattr(claims.vek.tcb, name)
        yield Fact(name=f"certified {name}", found=found, wanted=extensions[f"{name}_spl"])
    yield Fact(name="product", found=claims.vek.product, wanted=extensions["product"])
    # The manifest has the beginning of it.
    hwid, beginning = claims.vek.hwid, extensions["hwid"]
    found = None if hwid is None else hwid.hex()[: len(beginning or "")]
    yield Fact(name="hwid", found=found, wanted=beginning)


_BYTES: Final = (
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
)


def _bundle_facts(entry: Entry) -> Iterator[Fact]:
    claims = azure_authenticated(entry)
    yield Fact.verdict([item.code for item in findings(claims.snp.report)], ACCEPTED)
    yield Fact(name="root", found=claims.snp.root, wanted="amd-milan")
    yield Fact(name="version", found=claims.snp.report.version, wanted=3)
    yield Fact(name="nonce", found=claims.vtpm.nonce, wanted=b"attestation-test-fixture")
    yield Fact(name="secure-boot", found=claims.vtpm.configuration.get("secure-boot"), wanted=True)
    yield Fact(name="registers", found=len(claims.vtpm.registers), wanted=24)
