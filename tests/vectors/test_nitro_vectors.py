"""Real evidence of AWS's hardware, at its own time, and broken copies of it.

Read from ``ADYTON_VECTORS`` or from ``../shared/vectors`` beside the repository; not committed, for
the files have licences of their own. Without them, the fake vendor tests the same checks.
"""

import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from adyton.appraisal.appraise import Expected, appraise
from adyton.appraisal.policy import Policy
from adyton.crypto.path import PathCache, RootRejectedError
from adyton.crypto.signing import SignatureRejectedError
from adyton.errors import AdytonError, MalformedError
from adyton.evidence.nitro.authenticate import authenticate
from adyton.evidence.roots import trusted_roots
from adyton.model.claims import Claims, Platform, Technology, VendorRoot
from adyton.model.verdict import Status

BESIDE: Final = Path(__file__).parents[3] / "shared" / "vectors"
VECTORS: Final = Path(os.environ.get("ADYTON_VECTORS", str(BESIDE)))
MANIFEST: Final = VECTORS / "manifest-attestation.json"
ROOTS: Final = trusted_roots([VendorRoot.AWS_NITRO], named={})
REJECTED: Final[dict[str, type[AdytonError]]] = {
    "REJECT untrusted root": RootRejectedError,
    "REJECT COSE signature": SignatureRejectedError,
    "REJECT leaf certificate unparsable": MalformedError,
}

pytestmark = pytest.mark.skipif(
    not MANIFEST.exists(), reason=f"no attestation vectors in {VECTORS} (set ADYTON_VECTORS)"
)


def entries() -> list[dict[str, Any]]:
    if not MANIFEST.exists():
        return []
    found = json.loads(MANIFEST.read_bytes())
    return [entry for entry in found if entry["family"] == "nitro"]


def authenticated(entry: dict[str, Any], *, cache: PathCache | None = None) -> Claims:
    document = (VECTORS / entry["file"]).read_bytes()
    assert hashlib.sha256(document).hexdigest() == entry["sha256"]
    at = datetime.fromisoformat(entry["verify_at"])
    return authenticate(document, roots=ROOTS, at=at, cache=cache)


def test_the_manifest_has_all_its_entries() -> None:
    assert len(entries()) == 17


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: Path(entry["file"]).stem)
def test_every_document_has_its_expected_verdict(entry: dict[str, Any]) -> None:
    verdict = entry["verdict"]
    if verdict in REJECTED:
        with pytest.raises(REJECTED[verdict]):
            authenticated(entry)
        return
    claims = authenticated(entry)
    assert claims.debug is verdict.startswith("REJECT debug")
    layer = appraise(
        claims,
        policy=policy_for(claims),
        expected=Expected(
            report_data=claims.report_data or b"",
            public_key=claims.public_key or b"",
            challenge=claims.nonce or b"",
            asked=None,
        ),
        at=datetime.fromisoformat(entry["verify_at"]),
    )
    status = {part.name: part.status for part in layer.parts}
    assert status["authenticity"] is Status.PASSED
    assert status["configuration"] is (Status.FAILED if claims.debug else Status.PASSED)


@pytest.mark.parametrize(
    "entry",
    [entry for entry in entries() if entry["verdict"] not in REJECTED],
    ids=lambda entry: Path(entry["file"]).stem,
)
def test_every_field_has_its_expected_value(entry: dict[str, Any]) -> None:
    claims, fields = authenticated(entry), entry["fields"]
    is_tpm = "nitrotpm" in entry["file"]
    assert claims.technology is (Technology.NITRO_TPM if is_tpm else Technology.NITRO)
    assert claims.platform is (Platform.NITRO_TPM if is_tpm else Platform.NITRO)
    assert claims.root == "aws-nitro"
    assert claims.root_sha256.hex() == fields["root_sha256"]
    assert claims.debug is fields.get("debug", False)
    # The manifest leaves zero registers out.
    registers = {name: value.hex() for name, value in claims.measurements.items() if any(value)}
    assert registers == {f"pcr{index}": value for index, value in fields["pcrs"].items()}
    assert claims.issued == datetime.fromisoformat(fields["doc_time"])
    assert [claims.first, claims.last] == [datetime.fromisoformat(t) for t in fields["window"]]
    assert claims.instance == fields.get("module_id", claims.instance)
    for found, name in [
        (claims.report_data, "user_data"),
        (claims.nonce, "nonce"),
        (claims.public_key, "public_key"),
    ]:
        if name in fields:
            assert shown(found) == fields[name]


def shown(value: bytes | None) -> str | None:
    """Return a value as the manifest writes it: long ones by their digest."""
    if value is None or len(value) <= 64:
        return None if value is None else value.hex()
    return f"{len(value)} bytes sha256={hashlib.sha256(value).hexdigest()[:16]}"


def policy_for(claims: Claims) -> Policy:
    return Policy.from_json(
        {
            "version": "adyton/policy/v1",
            "roots": {"aws-nitro": "built-in"},
            "platforms": {
                claims.platform.value: {
                    "debug": "refused",
                    "tcb": "not-required",
                    "measurements": "not-required",
                }
            },
            "evidence": {"maximum_age_seconds": 86400, "challenge": "not-required"},
        }
    )


def test_one_cache_for_all_documents_gives_the_same_claims() -> None:
    cache = PathCache()
    for entry in entries():
        if entry["verdict"] not in REJECTED:
            first = authenticated(entry, cache=cache)
            assert authenticated(entry, cache=cache) == first == authenticated(entry)


@pytest.mark.parametrize(
    "entry",
    [entry for entry in entries() if entry["verdict"] == "ACCEPT"],
    ids=lambda entry: Path(entry["file"]).stem,
)
def test_a_document_is_refused_today(entry: dict[str, Any]) -> None:
    document = (VECTORS / entry["file"]).read_bytes()
    with pytest.raises(AdytonError):
        authenticate(document, roots=ROOTS, at=datetime(2049, 1, 1, tzinfo=UTC))
