"""A worker as the client knows it: its manifest, once its evidence was judged."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adyton.appraisal.policy import Policy
from adyton.codec.json import Json, as_object, as_string
from adyton.codec.text import from_base64
from adyton.crypto.hpke import SealSuite
from adyton.errors import MalformedError, RejectedError
from adyton.model.manifest import Manifest
from adyton.model.verdict import Verdict
from adyton.verification.pipeline import verify_worker

__all__ = [
    "Worker",
    "WorkerRejectedError",
    "judge_worker",
    "read_attestation",
    "sealing_key",
]

_EVIDENCE_LIMIT: Final = 64 * 1024


class WorkerRejectedError(RejectedError):
    """The worker's evidence is not acceptable under the policy: nothing was sealed to it."""

    code = "worker-rejected"

    def __init__(self, verdict: Verdict) -> None:
        reasons = "; ".join(finding.message for finding in verdict.reasons)
        super().__init__(f"the worker is not one that the policy accepts: {reasons}")
        self.verdict = verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker that the policy accepted, and until when that need not be asked again."""

    manifest: Manifest
    verdict: Verdict
    judged: datetime

    def sealing_key(self, suite: SealSuite) -> bytes:
        """Return the key for ``suite``; ``MalformedError`` where the worker has none."""
        return sealing_key(self.manifest, suite)


def judge_worker(answer: Json, *, challenge: bytes, policy: Policy, at: datetime) -> Worker:
    """Return the worker that ``GET /v1/attestation`` describes.

    Raises ``WorkerRejectedError`` with the verdict where the policy does not accept it. The key
    that is used is the manifest's, which the evidence is over: ``enclave_public_key`` beside it is
    for other clients, and a host could write anything there.
    """
    manifest, evidence = read_attestation(answer)
    verdict, _ = verify_worker(manifest, evidence, challenge=challenge, policy=policy, at=at)
    if not verdict.accepted:
        raise WorkerRejectedError(verdict)
    return Worker(manifest=manifest, verdict=verdict, judged=at)


def read_attestation(answer: Json) -> tuple[Manifest, bytes]:
    """Return the manifest and the evidence in ``answer``; whether they fit, nobody has checked."""
    record = as_object(answer, "the attestation")
    if missing := {"manifest", "attestation_document"} - record.keys():
        raise MalformedError(f"the attestation lacks {', '.join(sorted(missing))}")
    manifest = Manifest.from_json(record["manifest"])
    text = as_string(record["attestation_document"], "attestation_document", limit=100_000)
    return manifest, from_base64(text, "attestation_document", limit_bytes=_EVIDENCE_LIMIT)


def sealing_key(manifest: Manifest, suite: SealSuite) -> bytes:
    """Return the key for ``suite``; ``MalformedError`` where the worker has none."""
    try:
        return manifest.sealing_keys[suite.label]
    except KeyError as error:
        raise MalformedError(f"the worker has no key for {suite.label}") from error
