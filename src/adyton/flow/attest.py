"""Step ``attest``: ask the platform for evidence over what this worker is."""

from adyton.crypto.binding import report_data
from adyton.flow.ports import Platform
from adyton.flow.stages import Attested, Proven
from adyton.model.manifest import Manifest

__all__ = ["attest"]


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
