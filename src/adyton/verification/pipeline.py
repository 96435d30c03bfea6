"""The verification path: read, authenticate, appraise, bind, check, decide.

Pure functions: the same bytes, policy, expectation and instant give the same verdict. Nothing is
fetched. Every layer is judged, also when one before it has failed, so that whoever reads the
verdict sees all that is wrong at once; acceptance needs all of them.
"""

from datetime import UTC, datetime

from adyton.appraisal.appraise import Expected, appraise, refuse
from adyton.appraisal.policy import Policy
from adyton.crypto.binding import report_data
from adyton.crypto.path import PathCache
from adyton.errors import AdytonError, MalformedError, RejectedError
from adyton.model.claims import Claims
from adyton.model.manifest import Manifest
from adyton.model.receipt import Receipt
from adyton.model.verdict import Layer, Verdict
from adyton.verification.authenticate import authenticate
from adyton.verification.bind import Expectation, bind
from adyton.verification.check import Circuits, check
from adyton.verification.decide import decide_on_evidence, decide_on_receipt
from adyton.verification.ports import ProofVerifier
from adyton.verification.transcript import weigh

__all__ = ["verify_receipt", "verify_worker"]


def verify_receipt(
    receipt: Receipt,
    *,
    policy: Policy,
    expectation: Expectation,
    circuits: Circuits,
    verifier: ProofVerifier,
    at: datetime,
    cache: PathCache | None = None,
) -> Verdict:
    """Return the verdict on ``receipt`` at the instant ``at``.

    Raises ``UnavailableError`` where a proof could not be checked: then there is no verdict.
    """
    given = datetime.fromtimestamp(receipt.statement.time, tz=UTC)
    # Evidence speaks for the moment of the statement: its certificates live for hours, and a
    # receipt is checked for years. How old the statement may be is for the receipt layer.
    claims = _claims(receipt.evidence, policy=policy, at=given, cache=cache)
    return decide_on_receipt(
        receipt,
        evidence=_evidence_layer(
            claims,
            receipt.manifest,
            challenge=receipt.challenge,
            asked=expectation.challenge,
            policy=policy,
            at=given,
        ),
        statement=bind(
            receipt,
            platform=claims.platform if isinstance(claims, Claims) else None,
            policy=policy.receipt,
            expectation=expectation,
            at=at,
        ),
        proof=check(receipt, policy=policy.receipt, circuits=circuits, verifier=verifier),
        transcript=weigh(receipt, policy=policy.receipt),
        at=at,
    )


def verify_worker(
    manifest: Manifest,
    evidence: bytes,
    *,
    challenge: bytes,
    policy: Policy,
    at: datetime,
    cache: PathCache | None = None,
) -> Verdict:
    """Return the verdict on a worker, before anything is sealed to it.

    ``challenge`` is what the caller sent, and nobody else could have foreseen.
    """
    layer = _evidence_layer(
        _claims(evidence, policy=policy, at=at, cache=cache),
        manifest,
        challenge=challenge,
        asked=challenge,
        policy=policy,
        at=at,
    )
    return decide_on_evidence(layer, at=at)


def _claims(
    evidence: bytes, *, policy: Policy, at: datetime, cache: PathCache | None
) -> Claims | AdytonError:
    try:
        return authenticate(evidence, policy=policy, at=at, cache=cache)
    except (MalformedError, RejectedError) as error:
        return error


def _evidence_layer(
    claims: Claims | AdytonError,
    manifest: Manifest,
    *,
    challenge: bytes,
    asked: bytes | None,
    policy: Policy,
    at: datetime,
) -> Layer:
    if isinstance(claims, AdytonError):
        return refuse(claims)
    expected = Expected(
        report_data=report_data(manifest.to_bytes(), challenge),
        public_key=manifest.signing_key,
        challenge=challenge,
        asked=asked,
    )
    return appraise(claims, policy=policy, expected=expected, at=at)
