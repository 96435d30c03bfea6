"""What the manifest says of services' tokens, beside what we find.

Only Google's token brings the certificates of its key. Of the others, nobody kept the key set of
the day: their signatures cannot be checked, the manifest says so ("claims-only"), and so do the
facts here: such a token is refused, and its fields are read as those of something unverified.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from tests.vectors.manifest import Entry, Fact, content, instant

from adyton.codec.jose import MAX_TOKEN_BYTES, Jws
from adyton.codec.json import JsonObject, as_object, loads
from adyton.crypto.jwk import read_x5c
from adyton.crypto.path import verify_path
from adyton.errors import AdytonError
from adyton.evidence.token.authenticate import TokenClaims, authenticate, unverified_report
from adyton.evidence.token.bundle import DetachedBundle
from adyton.evidence.token.collateral import TokenCollateral
from adyton.evidence.token.reported import Reported
from adyton.evidence.token.roots import TOKEN_ROOTS
from adyton.evidence.token.services import GOOGLE, SUITES, Issuer, Service

__all__ = ["NO_COLLATERAL", "authenticated", "facts", "nras_facts"]

NO_COLLATERAL: Final = TokenCollateral(jwks=None, root=None)
GOOGLES: Final = "ita/gcp-confidential-space-2025-10-debug.jwt"
UNVERIFIED: Final = "token-key-rejected"


def authenticated(entry: Entry, at: datetime) -> TokenClaims:
    """Return the claims of Google's token, with nothing beside it."""
    return authenticate(
        content(entry), issuer=GOOGLE, collateral=NO_COLLATERAL, roots=TOKEN_ROOTS, at=at
    )


def facts(entry: Entry) -> Iterator[Fact]:
    """Yield verdict and fields of a token of Intel, Azure or Google."""
    if entry["file"] == GOOGLES:
        yield from _google(entry)
    elif "azure" in entry["file"]:
        yield from _azure(entry)
    else:
        yield from _intel(entry)


def _google(entry: Entry) -> Iterator[Fact]:
    fields, window = entry["fields"], entry["verify_at"].split(" .. ")
    first, last = (instant(text) for text in window)
    claims = authenticated(entry, first)
    found = claims.reported
    yield Fact(name="window", found=(claims.issued, _end(claims)), wanted=(first, last))
    yield Fact(name="genuine", found=claims.is_genuine, wanted=True)
    codes = [finding.code for finding in found.findings]
    yield Fact.verdict(codes, {"REJECT dbgstat=enabled": "debug-mode"}[entry["verdict"]])
    for name, value in {
        "iss": claims.issuer,
        "aud": ",".join(claims.audience),
        "hwmodel": f"GCP_AMD_{found.tee.name}",
        "swname": found.facts["software"],
        "dbgstat": "enabled" if found.debug else "disabled",
        "secboot": found.secure_boot,
        "eat_nonce": ",".join(nonce.decode() for nonce in found.nonces),
        "image_digest": f"sha256:{found.measurements['image_digest'].hex()}",
        "root_sha256": claims.root_sha256.hex(),
        "leaf_not_after": str(claims.windows[2].last),
    }.items():
        yield Fact(name=name, found=value, wanted=fields[name])


def _end(claims: TokenClaims) -> datetime:
    return claims.windows[-1].last + timedelta(microseconds=1)


def _refusal(data: bytes, service: Service, name: str, at: datetime) -> Fact:
    """Return the fact that a token without the set of its day is refused, and for that alone."""
    issuer = Issuer(service=service, name=name)
    try:
        authenticate(data, issuer=issuer, collateral=NO_COLLATERAL, roots=TOKEN_ROOTS, at=at)
    except AdytonError as error:
        return Fact.verdict([error.code], UNVERIFIED)
    return Fact.verdict([], UNVERIFIED)


def _azure(entry: Entry) -> Iterator[Fact]:
    fields, data = entry["fields"], content(entry)
    at = instant(entry["verify_at"])
    yield Fact(name="manifest", found="claims-only", wanted=entry["verdict"])
    yield _refusal(data, Service.AZURE_ATTESTATION, fields["iss"], at)
    found, _ = unverified_report(data, service=Service.AZURE_ATTESTATION)
    claims = as_object(
        loads(Jws.from_text(data.decode()).payload, limit_bytes=MAX_TOKEN_BYTES), "claims"
    )
    yield Fact(name="findings", found=[item.code for item in found.findings], wanted=[])
    yield Fact(name="tee", found=found.tee.value, wanted="sev-snp")
    yield Fact(name="measurement", found=len(found.measurements["measurement"]), wanted=48)
    for name in ("iss", "iat", "exp", "x-ms-attestation-type"):
        yield Fact(name=name, found=str(claims[name]), wanted=fields[name])


def _intel(entry: Entry) -> Iterator[Fact]:
    fields, data = entry["fields"], content(entry)
    at = instant(entry["verify_at"].split(" .. ")[0])
    only, _, status = entry["verdict"].partition("; ")
    yield Fact(name="manifest", found="claims-only", wanted=only)
    yield _refusal(data, Service.INTEL_TRUST_AUTHORITY, fields["iss"], at)
    found, _ = unverified_report(data, service=Service.INTEL_TRUST_AUTHORITY)
    header = Jws.from_text(data.decode()).untrusted_header
    registers = found.measurements
    # Nothing against it: the held data are those that the report is over, too.
    yield Fact(name="findings", found=[item.code for item in found.findings], wanted=[])
    yield Fact(name="status", found=found.tcb_status, wanted=status)
    for name, value in {
        "alg": header["alg"],
        "jku": header["jku"],
        "kid": header["kid"],
        "attester_type": found.tee.name,
        "attester_tcb_status": found.tcb_status,
        "advisories": [*found.advisories] or None,
        "dbgstat": "enabled" if found.debug else "disabled",
        "eat_profile": found.facts["eat_profile"],
        "mrtd": _hex(registers.get("mr_td")),
        "mrenclave": _hex(registers.get("mr_enclave")),
        "mrsigner": _hex(registers.get("mr_signer")),
        "report_data": _hex(found.report_data),
    }.items():
        yield Fact(name=name, found=value, wanted=fields[name])


def _claims(token: Jws) -> JsonObject:
    return as_object(loads(token.payload, limit_bytes=MAX_TOKEN_BYTES), "claims")


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()


def nras_facts(entry: Entry) -> Iterator[Fact]:
    """Yield verdict and fields of a bundle of NVIDIA's service, or of the chain of its key."""
    if "x5c" in entry["file"]:
        yield from _chain(entry)
    else:
        yield from _bundle(entry)


def _chain(entry: Entry) -> Iterator[Fact]:
    record = as_object(loads(content(entry), limit_bytes=MAX_TOKEN_BYTES), "the chain")
    path = verify_path(
        [*reversed(read_x5c(record["x5c"]))],
        roots=TOKEN_ROOTS,
        suite=SUITES[Service.NVIDIA_NRAS],
    )
    yield Fact(name="manifest", found="chain check", wanted=entry["verdict"])
    first, last = (str(value.date()) for value in (path.leaf.first, path.leaf.last))
    leaf = entry["fields"]["chain"][0]
    yield Fact(name="window", found=[first, last], wanted=leaf[1:3])
    yield Fact(name="leaf", found=path.leaf.common_name in leaf[0], wanted=True)
    path.check_valid(instant(entry["verify_at"]))


def _bundle(entry: Entry) -> Iterator[Fact]:
    data = content(entry)
    bundle = DetachedBundle.from_bytes(data)
    wanted = entry["fields"]["tokens"]
    (name,) = {token["iss"] for token in wanted}
    yield Fact(
        name="manifest",
        found="claims-only (signature not verifiable offline)",
        wanted=entry["verdict"],
    )
    yield _refusal(data, Service.NVIDIA_NRAS, name, instant(entry["verify_at"]))
    # The digests of the devices' tokens are checked, also in what nobody verified.
    overall, devices = unverified_report(data, service=Service.NVIDIA_NRAS)
    found = [
        _token(bundle.overall, overall),
        *(_token(text, devices[device]) for device, text in bundle.devices.items()),
    ]
    order = sorted(wanted, key=lambda token: token["overall"] is None)
    for ours, theirs in zip(found, order, strict=True):
        for field, value in ours.items():
            yield Fact(name=field, found=value, wanted=theirs[field])


def _token(text: str, found: Reported) -> dict[str, object]:
    token = Jws.from_text(text)
    is_overall = "x-nvidia-overall-att-result" in _claims(token)
    failed = [item for item in found.findings if item.code == "service-check-failed"]
    return {
        "kid": token.untrusted_header["kid"],
        "alg": token.algorithm,
        "overall": (not failed) if is_overall else None,
        "measres": None if is_overall else "success" if not failed else "fail",
        "hwmodel": found.facts.get("hwmodel"),
        "eat_nonce": found.nonces[0].hex(),
        "dbgstat": None if is_overall else "enabled" if found.debug else "disabled",
        "secboot": None if is_overall else found.secure_boot,
        "driver": found.facts.get("driver_version"),
    }
