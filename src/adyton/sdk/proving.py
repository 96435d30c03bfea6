"""Having something proven, as a conversation: one logic for both kinds of client.

``attested`` is the order of ``ask``: the worker's evidence is judged, then the request is sealed to
the key that it is over, then what comes back is verified against what was sent. There is no way
from there to a key that nobody vouches for: whatever goes wrong ends the conversation. Who wants
such a key asks for ``remote`` by name.
"""

import asyncio
import re
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Self, TypeAlias

from adyton.appraisal.policy import Choice
from adyton.codec.json import Json, as_integer, as_object, as_string
from adyton.errors import AdytonError, MalformedError, RejectedError
from adyton.model.manifest import Manifest
from adyton.model.proving import MEDIA_TYPE, SealedProving, Target
from adyton.model.proving_job import ChonkJob, NoirCircuit, ProvingJob, UltraHonkJob
from adyton.model.proving_receipt import ProvingReceipt
from adyton.model.verdict import LayerName, Status, Verdict
from adyton.sdk.asking import Stopwatch
from adyton.sdk.programs import circuit_digest
from adyton.sdk.sealing import sealed_proving
from adyton.sdk.session import (
    Session,
    challenge_query,
    fresh_challenge,
    fresh_nonce,
    now,
)
from adyton.sdk.transport import (
    Call,
    Conversation,
    GatewayError,
    GatewayTryLaterError,
    GatewayUnavailableError,
    Pause,
    read_json,
)
from adyton.sdk.worker import read_attestation, sealing_key
from adyton.verification.delegated import ProvingExpectation

__all__ = [
    "Mode",
    "Progress",
    "Proof",
    "ProofRejectedError",
    "Request",
    "UnattestedWarning",
    "Watcher",
    "prove",
]

# Longer than a gateway lets a worker take.
_SECONDS: Final = 1000.0
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 1.0
_PATIENCE_SECONDS: Final = 120.0
_UNATTESTED: Final = (
    "mode remote: no evidence is checked before the witness is sealed, so that the gateway's host"
    " may read it"
)
_JOB: Final = re.compile(r"[0-9a-f]{32}")
_ENDS: Final = frozenset({"done", "failed", "cancelled"})
# A worker that was started anew has other keys.
_OTHER_WORKER: Final = frozenset({"seal-rejected", "job-lost"})


class Mode(StrEnum):
    """Who proves, and how much of that is checked first."""

    LOCAL = "local"
    REMOTE = "remote"
    ATTESTED = "attested"


class UnattestedWarning(UserWarning):
    """A witness is sealed to a key that no evidence was checked for: its host may read it."""


class ProofRejectedError(RejectedError):
    """What the worker gave back does not hold under the policy: there is no proof."""

    code = "proof-receipt-rejected"

    def __init__(self, verdict: Verdict, receipt: ProvingReceipt) -> None:
        reasons = "; ".join(finding.message for finding in verdict.reasons)
        super().__init__(f"the proof's receipt is not acceptable: {reasons}")
        self.verdict, self.receipt = verdict, receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is, as the gateway says: nothing depends on it."""

    job: str
    state: str
    place: int | None
    phase: str | None

    @property
    def is_end(self) -> bool:
        """Whether nothing will happen to the job any more."""
        return self.state in _ENDS

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Return the progress in a job's document, or raise ``MalformedError``."""
        record = as_object(value, "the job")
        place, job = record.get("place"), as_string(record.get("job"), "job", limit=64)
        # It becomes part of a path: the host chooses a job, and nothing else.
        if not _JOB.fullmatch(job):
            raise MalformedError("the job's identifier is none")
        return cls(
            job=job,
            state=as_string(record.get("state"), "state", limit=16),
            place=None if place is None else as_integer(place, "place"),
            phase=as_string(record["phase"], "phase", limit=32) if "phase" in record else None,
        )


Watcher: TypeAlias = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be proven, for whom, and by whom."""

    job: ProvingJob = field(repr=False)
    target: Target
    mode: Mode
    nonce: str
    audience: str

    @classmethod
    def of(
        cls,
        job: ProvingJob,
        *,
        target: Target | str | None,
        mode: Mode | str,
        nonce: str | None,
        audience: str,
    ) -> Self:
        """Return the request; ``ValueError`` for a target or a mode that does not exist."""
        if Mode(mode) is Mode.REMOTE:
            # Of whoever called the client.
            warnings.warn(_UNATTESTED, UnattestedWarning, stacklevel=3)
        if target is None:
            target = Target.AZTEC if isinstance(job, ChonkJob) else Target.EVM
        return cls(
            job=job,
            target=Target(target),
            mode=Mode(mode),
            nonce=nonce or fresh_nonce(),
            audience=audience,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof that was verified, and who made it.

    ``receipt`` and ``verdict`` are ``None`` in the mode ``local``. ``is_attested`` says whether the
    policy accepted the evidence of whoever saw the witness, before he saw it. ``timings`` are
    milliseconds by step.
    """

    mode: Mode
    target: Target
    proof: bytes = field(repr=False)
    public_inputs: tuple[int, ...]
    verification_key: bytes = field(repr=False)
    circuit: bytes
    receipt: ProvingReceipt | None
    verdict: Verdict | None
    timings: Mapping[str, float]

    @property
    def is_attested(self) -> bool:
        """Whether evidence was checked, first and last."""
        return self.mode is Mode.ATTESTED and self.verdict is not None and self.verdict.accepted


def prove(session: Session, request: Request, watch: Watcher | None) -> Conversation[Proof]:
    """Return a verified proof from a worker; with ``watch``, as a job that it is told about."""
    stopwatch = Stopwatch()
    manifest = yield from _manifest(session, request.mode)
    stopwatch.lap("evidence")
    sealed = sealed_proving(
        request.job,
        target=request.target,
        nonce=request.nonce,
        audience=request.audience,
        public_key=sealing_key(manifest, session.suite),
        suite=session.suite,
        now=now(),
    )
    stopwatch.lap("seal")
    challenge = None
    if session.policy.evidence.challenge is Choice.REQUIRED:
        challenge = fresh_challenge()
    try:
        data = yield from _answer(sealed, challenge, watch)
    except GatewayError as error:
        if error.code in _OTHER_WORKER:
            session.forget_worker()
        raise
    stopwatch.lap("answer")
    receipt = ProvingReceipt.from_bytes(data)
    expectation = ProvingExpectation(
        request=sealed,
        challenge=challenge,
        circuit=circuit_digest(request.job),
        verification_key=_key(request.job),
    )
    verdict = session.verifier.verify_proving(
        receipt, policy=session.policy, expectation=expectation, at=now()
    )
    stopwatch.lap("verify")
    if not _holds(verdict, request.mode):
        raise ProofRejectedError(verdict, receipt)
    return Proof(
        mode=request.mode,
        target=request.target,
        proof=receipt.proof,
        public_inputs=receipt.public_inputs,
        verification_key=receipt.verification_key,
        circuit=receipt.statement.circuit,
        receipt=receipt,
        verdict=verdict,
        timings=stopwatch.timings,
    )


def _manifest(session: Session, mode: Mode) -> Conversation[Manifest]:
    if mode is Mode.ATTESTED:
        return (yield from session.worker()).manifest
    unverified_manifest, _ = read_attestation(
        read_json((yield Call(method="GET", path="/v1/attestation")))
    )
    return unverified_manifest


def _key(job: ProvingJob) -> bytes | None:
    match job:
        case UltraHonkJob(circuit=NoirCircuit(key=key)):
            return key
        case _:
            return None


def _holds(verdict: Verdict, mode: Mode) -> bool:
    if mode is Mode.ATTESTED:
        return verdict.accepted
    # Without evidence there is nothing that the first layer could say.
    return all(
        layer.status is Status.PASSED
        for layer in verdict.layers
        if layer.name is not LayerName.EVIDENCE
    )


def _answer(
    sealed: SealedProving, challenge: bytes | None, watch: Watcher | None
) -> Conversation[bytes]:
    queries = [] if challenge is None else [challenge_query(challenge)]
    call = Call(
        method="POST",
        path="/v1/prove",
        body=sealed.to_bytes(),
        media_type=MEDIA_TYPE,
        seconds=_SECONDS,
    )
    if watch is None:
        return (yield replace(call, path="?".join((call.path, *queries))))
    accepted = yield replace(call, path="?".join((call.path, "&".join(("mode=job", *queries)))))
    progress = Progress.from_json(read_json(accepted))
    try:
        yield from _watched(progress, watch)
    except (KeyboardInterrupt, asyncio.CancelledError):
        # Nobody waits for it any more: its prover is ended too.
        with suppress(AdytonError):
            yield Call(method="DELETE", path=f"/v1/jobs/{progress.job}")
        raise
    return (yield Call(method="GET", path=f"/v1/jobs/{progress.job}/receipt"))


def _watched(progress: Progress, watch: Watcher) -> Conversation[None]:
    """Follow a job to its end. A gateway that is away for a while loses no job."""
    job, pause, patience = progress.job, _FIRST_PAUSE, _PATIENCE_SECONDS
    watch(progress)
    while not progress.is_end:
        yield Pause(seconds=pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
        try:
            data = yield Call(method="GET", path=f"/v1/jobs/{job}")
        except (GatewayUnavailableError, GatewayTryLaterError):
            patience -= pause
            if patience < 0:
                raise
            continue
        patience = _PATIENCE_SECONDS
        progress = Progress.from_json(read_json(data))
        watch(progress)
