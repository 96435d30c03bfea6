"""A process that verifies: ``python -m adyton.adapters.evidence_process SOCKET``, by a pool.

It has the whole verification path in it, and remembers what it verified; what it answers is what
``verification`` answers. It reads strangers' bytes: it has no key and no connection but that to its
pool, and is not told where the database is. It is no sandbox. It ends when its pool closes the
socket.
"""

import gc
import json
import pickle
import signal
import socket
import sys
from collections.abc import Callable
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from adyton.adapters.attestation_results import unsigned_result
from adyton.adapters.channel import Channel
from adyton.adapters.evidence_pool import EVIDENCE, MAX_JOB_BYTES, RECEIPT, REQUEST, WORKER
from adyton.adapters.frames import Fields
from adyton.adapters.linked_errors import error_fields
from adyton.adapters.verifier import OfflineVerifier, receipt_of
from adyton.appraisal.ear import Ear
from adyton.appraisal.policy import Policy
from adyton.codec.json import JsonObject
from adyton.errors import AdytonError
from adyton.model.claims import Claims, Judged
from adyton.model.manifest import Manifest
from adyton.model.proving_receipt import ProvingReceipt
from adyton.model.verdict import Verdict
from adyton.verification.authenticate import EvidenceCache
from adyton.verification.bind import Expectation
from adyton.verification.delegated import ProvingExpectation
from adyton.verification.machine_bundle import MachineBundle
from adyton.verification.machine_result import machine_result
from adyton.verification.pipeline import verify_evidence, verify_worker
from adyton.verification.request import EvidenceRequest

__all__ = ["JOBS", "judge_evidence", "judge_receipt", "judge_request", "judge_worker"]

_CACHE: Final = EvidenceCache()


def judge_evidence(evidence: bytes, **given: Any) -> Judged:
    """Return the verdict on evidence that is nobody's in particular, and what it says."""
    return verify_evidence(evidence, **given, cache=_CACHE)


def judge_worker(manifest: Manifest, evidence: bytes, **given: Any) -> Judged:
    """Return the verdict on a worker's evidence, which is over its manifest and a challenge."""
    return verify_worker(manifest, evidence, **given, cache=_CACHE)


def judge_request(body: bytes, *, now: datetime) -> tuple[bytes, Ear | None]:
    """Return the verdict that a request asks for, in JSON, and a result to sign if it wants one.

    Raises ``MalformedError`` where it is no request.
    """
    request = EvidenceRequest.from_bytes(body, now=now)
    bundle = request.bundle
    if request.devices:
        machine = MachineBundle(processor=bundle, devices=request.devices).verify(cache=_CACHE)
        alone = _result(request, *machine.processor)
        return _text(machine.to_json()), alone and machine_result(alone, machine)
    verdict, claims = bundle.verify(cache=_CACHE)
    said = None if claims is None else claims.to_json()
    return _text({**verdict.to_json(), "claims": said}), _result(request, verdict, claims)


def _result(request: EvidenceRequest, verdict: Verdict, claims: Claims | None) -> Ear | None:
    if not request.wants_ear:
        return None
    policy, expected = request.bundle.policy, request.bundle.expected
    return unsigned_result(verdict, claims, policy=policy, expected=expected)


def _text(answer: JsonObject) -> bytes:
    # Written here: whoever asked has only to pass it on.
    return json.dumps(answer, ensure_ascii=False).encode()


def judge_receipt(receipt: JsonObject, policy: JsonObject, *, at: datetime) -> JsonObject:
    """Return the verdict on a receipt, as JSON.

    Raises ``MalformedError`` where there is nothing to judge, and ``UnavailableError`` where a
    proof could not be checked.
    """
    read, accepted = receipt_of(receipt), Policy.from_json(policy)
    # Whoever asks here knows no question: a policy that wants the nonce compared gets told so.
    if isinstance(read, ProvingReceipt):
        return (
            _verifier()
            .verify_proving(read, policy=accepted, expectation=ProvingExpectation(), at=at)
            .to_json()
        )
    return _verifier().verify(read, policy=accepted, expectation=Expectation(), at=at).to_json()


@cache
def _verifier() -> OfflineVerifier:
    # Its prover ends with this process, which its pool ends together with all that it started.
    return OfflineVerifier()


JOBS: Final = MappingProxyType[str, Callable[..., Any]](
    {
        EVIDENCE: judge_evidence,
        WORKER: judge_worker,
        REQUEST: judge_request,
        RECEIPT: judge_receipt,
    }
)


def _answer(job: Fields) -> Fields:
    # Nobody waits longer. If the pool is gone, too, nobody else would end what does not come back.
    signal.setitimer(signal.ITIMER_REAL, job["seconds"])
    try:
        given, named = pickle.loads(job["given"])  # noqa: S301  # our own, from our pool
        return {"answer": pickle.dumps(JOBS[job["name"]](*given, **named))}
    except AdytonError as error:
        return {"error": error_fields(error)}
    except Exception as error:  # noqa: BLE001  # the process's outermost loop
        # By its kind alone: the text may hold what somebody sent.
        return {"unforeseen": type(error).__name__}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main() -> None:
    """Do jobs until the pool closes its end."""
    end = socket.socket(fileno=int(sys.argv[-1]))
    channel = Channel(end, limit_bytes=MAX_JOB_BYTES, sent_bytes=MAX_JOB_BYTES)
    # What is here now stays: to look for garbage in it would be part of every verdict.
    gc.collect()
    gc.freeze()
    while (job := channel.receive()) is not None:
        channel.send(_answer(job))


if __name__ == "__main__":
    main()
