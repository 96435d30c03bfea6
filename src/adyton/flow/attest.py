"""Step ``attest``: ask the platform for evidence over what this worker is."""

from dataclasses import dataclass

from adyton.crypto.binding import report_data
from adyton.flow.ports import Platform
from adyton.flow.prove import Proven
from adyton.model.manifest import Manifest

__all__ = ["Attested", "attest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """An answer with its proof, and evidence of the worker that gives it."""

    proven: Proven
    manifest: Manifest
    evidence: bytes
    challenge: bytes


async def attest(
    proven: Proven, *, manifest: Manifest, challenge: bytes, platform: Platform
) -> Attested:
    """Return ``proven`` with evidence over ``manifest`` and ``challenge``.

    Raises ``UnavailableError`` when the platform gives none: an answer without it says nothing.
    """
    evidence = await platform.evidence(
        report_data(manifest.to_bytes(), challenge), challenge or None, manifest.signing_key
    )
    return Attested(proven=proven, manifest=manifest, evidence=evidence, challenge=challenge)
