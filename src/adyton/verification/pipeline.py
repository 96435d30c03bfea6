"""The verification path: read, authenticate, appraise, bind, check, decide.

Pure functions: the same bytes, policy, expectation and instant give the same verdict. Nothing is
fetched. Every layer is judged, also when one before it has failed, so that whoever reads the
verdict sees all that is wrong at once; acceptance needs all of them.
"""

from datetime import UTC, datetime
from typing import Final

from adyton.appraisal.appraise import appraise, refuse
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.crypto.binding import report_data
from adyton.crypto.hashing import sha256
from adyton.errors import AdytonError, MalformedError, RejectedError
from adyton.evidence.collateral import NO_COLLATERAL, Collateral
from adyton.model.claims import Claims, Judged, Platform, Technology
from adyton.model.manifest import Manifest
from adyton.model.proving_receipt import ProvingReceipt
from adyton.model.receipt import Receipt
from adyton.model.verdict import Layer, Verdict
from adyton.verification.authenticate import EvidenceCache, authenticate
from adyton.verification.bind import Expectation, bind
from adyton.verification.check import Circuits, check
from adyton.verification.decide import decide_on_evidence, decide_on_proving, decide_on_receipt
from adyton.verification.delegated import ProvingExpectation, bind_proof, check_proof
from adyton.verification.ports import DelegatedProofVerifier, ProofVerifier
from adyton.verification.transcript import weigh

__all__ = [
    "claims_or_reason",
    "verify_evidence",
    "verify_proving_receipt",
    "verify_receipt",
    "verify_worker",
]

# The others have report data alone, which commits to challenge and key, too.
_WITH_FIELDS: Final = frozenset({Technology.NITRO, Technology.NITRO_TPM})


def verify_receipt(
    receipt: Receipt,
    *,
    policy: Policy,
    expectation: Expectation,
    circuits: Circuits,
    verifier: ProofVerifier,
    at: datetime,
    collateral: Collateral = NO_COLLATERAL,
    cache: EvidenceCache | None = None,
) -> Verdict:
    """Return the verdict on ``receipt`` at the instant ``at``.

    Raises ``UnavailableError`` where a proof could not be checked: then there is no verdict.
    """
    evidence, platform = _evidence_of(
        receipt, asked=expectation.challenge, policy=policy, collateral=collateral, cache=cache
    )
    return decide_on_receipt(
        receipt,
        evidence=evidence,
        statement=bind(
            receipt,
            platform=platform,
            policy=policy.receipt,
            expectation=expectation,
            at=at,
        ),
        proof=check(receipt, policy=policy.receipt, circuits=circuits, verifier=verifier),
        transcript=weigh(receipt, policy=policy.receipt),
        at=at,
    )


def verify_proving_receipt(
    receipt: ProvingReceipt,
    *,
    policy: Policy,
    expectation: ProvingExpectation,
    verifier: DelegatedProofVerifier,
    at: datetime,
    collateral: Collateral = NO_COLLATERAL,
    cache: EvidenceCache | None = None,
) -> Verdict:
    """Return the verdict on a receipt for a delegated proof at the instant ``at``.

    Raises ``UnavailableError`` where the proof could not be checked: then there is no verdict.
    """
    evidence, platform = _evidence_of(
        receipt, asked=expectation.challenge, policy=policy, collateral=collateral, cache=cache
    )
    return decide_on_proving(
        evidence=evidence,
        statement=bind_proof(
            receipt,
            platform=platform,
            policy=policy.proving,
            expectation=expectation,
            at=at,
        ),
        proof=check_proof(receipt, expectation=expectation, verifier=verifier),
        at=at,
    )


def verify_worker(
    manifest: Manifest,
    evidence: bytes,
    *,
    challenge: bytes,
    policy: Policy,
    at: datetime,
    collateral: Collateral = NO_COLLATERAL,
    cache: EvidenceCache | None = None,
) -> Judged:
    """Return the verdict on a worker, before anything is sealed to it, and what its evidence says.

    ``challenge`` is what the caller sent, and nobody else could have foreseen. The claims are
    ``None`` where the evidence is not authentic.
    """
    claims = claims_or_reason(evidence, collateral=collateral, policy=policy, at=at, cache=cache)
    layer = _worker_layer(
        claims, manifest, challenge=challenge, asked=challenge, policy=policy, at=at
    )
    return decide_on_evidence(layer, at=at), claims if isinstance(claims, Claims) else None


def verify_evidence(
    evidence: bytes,
    *,
    policy: Policy,
    expected: Expected,
    at: datetime,
    collateral: Collateral = NO_COLLATERAL,
    cache: EvidenceCache | None = None,
) -> Judged:
    """Return the verdict on evidence that is nobody's in particular, and what it says.

    ``expected`` is what the verifier knows that it should be over. The claims are ``None`` where
    the evidence is not authentic: then it says nothing.
    """
    claims = claims_or_reason(evidence, collateral=collateral, policy=policy, at=at, cache=cache)
    if isinstance(claims, AdytonError):
        return decide_on_evidence(refuse(claims), at=at), None
    layer = appraise(claims, policy=policy, expected=expected, at=at)
    return decide_on_evidence(layer, at=at), claims


def claims_or_reason(
    evidence: bytes,
    *,
    collateral: Collateral,
    policy: Policy,
    at: datetime,
    cache: EvidenceCache | None,
) -> Claims | AdytonError:
    """Return what ``evidence`` says, or the reason why it says nothing."""
    try:
        return authenticate(evidence, collateral=collateral, policy=policy, at=at, cache=cache)
    except (MalformedError, RejectedError) as error:
        return error


def _evidence_of(
    receipt: Receipt | ProvingReceipt,
    *,
    asked: bytes | None,
    policy: Policy,
    collateral: Collateral,
    cache: EvidenceCache | None,
) -> tuple[Layer, Platform | None]:
    """Return the layer for the evidence in ``receipt``, and who it is from if it is authentic."""
    # Evidence speaks for the moment of the statement: its certificates live for hours, and a
    # receipt is checked for years. How old the statement may be is for the receipt layer.
    given = datetime.fromtimestamp(receipt.statement.time, tz=UTC)
    claims = claims_or_reason(
        receipt.evidence, collateral=collateral, policy=policy, at=given, cache=cache
    )
    layer = _worker_layer(
        claims,
        receipt.manifest,
        challenge=receipt.challenge,
        asked=asked,
        policy=policy,
        at=given,
    )
    return layer, claims.platform if isinstance(claims, Claims) else None


def _worker_layer(
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
    has_fields = claims.technology in _WITH_FIELDS
    expected = Expected(
        report_data=report_data(manifest.to_bytes(), challenge),
        nonce=challenge if has_fields else None,
        public_key=manifest.signing_key if has_fields else None,
        manifest=sha256(manifest.to_bytes()),
        challenge=challenge,
        asked=asked,
    )
    return appraise(claims, policy=policy, expected=expected, at=at)
