"""The verification path of a notary's proof: evidence, commit, chain and log, as one verdict.

Pure functions, as ``pipeline`` is for receipts: nothing is fetched, and the same bytes, policy and
instant give the same verdict.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adyton.codec.javascript import Value
from adyton.evidence.collateral import NO_COLLATERAL, Collateral
from adyton.ledger.log_proof import LogProof
from adyton.ledger.proof import Proof
from adyton.model.verdict import Subject, Verdict
from adyton.verification.attested import attested_layer
from adyton.verification.authenticate import EvidenceCache
from adyton.verification.chain import chain_layer
from adyton.verification.commit import commit_layer, read_proof
from adyton.verification.log import log_layer
from adyton.verification.notary_policy import OPEN, NotaryPolicy

__all__ = ["NOTHING", "Beside", "verify_commit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the verifier has beside the proof; ``None`` is what it does not have.

    ``artifact`` is SHA-256 of the bytes that the proof is about, ``previous`` the proof before it,
    ``place`` its place in the log with a checkpoint.
    """

    artifact: bytes | None = None
    previous: Proof | None = None
    place: LogProof | None = None
    collateral: Collateral = NO_COLLATERAL


NOTHING: Final = Beside()


def verify_commit(
    document: Value,
    *,
    at: datetime,
    policy: NotaryPolicy = OPEN,
    beside: Beside = NOTHING,
    cache: EvidenceCache | None = None,
) -> Verdict:
    """Return the verdict on the proof in ``document`` at the instant ``at``.

    What the verifier was not given is not required, unless the policy says that it is. Every layer
    is judged, also when one before it has failed.
    """
    read = read_proof(document)
    return Verdict(
        subject=Subject.COMMIT,
        layers=(
            attested_layer(read, policy=policy, at=at, collateral=beside.collateral, cache=cache),
            commit_layer(read, artifact=beside.artifact, policy=policy),
            chain_layer(read, previous=beside.previous, policy=policy),
            log_layer(read, found=beside.place, policy=policy.log),
        ),
        at=at,
        claimed=None,
    )
