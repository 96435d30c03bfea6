"""The request path: open, foresee, fetch, extract, evaluate, prove; then attest and respond.

The first half runs in a cell, which sees plaintext and is gone afterwards; the second in the
worker, which holds the signing key and never sees any. Between them passes ``Proven``, in which
nothing is private. Only this module knows the order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adyton.crypto.hpke import OpeningKey
from adyton.flow.attest import attest
from adyton.flow.evaluate import evaluate
from adyton.flow.extract import extract
from adyton.flow.fetch import fetch
from adyton.flow.foresee import foresee
from adyton.flow.open import open_sealed
from adyton.flow.ports import Budget, Http, Platform, Prover, Signer
from adyton.flow.prove import prove
from adyton.flow.respond import respond
from adyton.flow.stages import Proven
from adyton.model.manifest import Manifest
from adyton.model.ports import Clock, Randomness
from adyton.model.question import Question
from adyton.model.receipt import Receipt
from adyton.proofs.circuit import Circuit
from adyton.sources import ProviderDefinition

__all__ = ["CellPorts", "certify", "derive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPorts:
    """What the first half needs from outside."""

    opener: OpeningKey
    http: Http
    budget: Budget
    prover: Prover
    clock: Clock
    randomness: Randomness
    lap: Callable[[str], None]
    providers: Mapping[str, ProviderDefinition]
    circuits: Mapping[str, Circuit]


def derive(question: Question, *, manifest: bytes, ports: CellPorts) -> Proven:
    """Return the proven answer to ``question``; ``manifest`` is the digest of the worker's.

    ``ports.lap`` is told the name of each step when it is done.
    """
    opened = open_sealed(
        question, opener=ports.opener, providers=ports.providers, now=ports.clock()
    )
    foreseen = foresee(opened, circuits=ports.circuits, prover=ports.prover, budget=ports.budget)
    ports.lap("open")
    fetched = fetch(foreseen, http=ports.http, randomness=ports.randomness)
    ports.lap("fetch")
    gathered = extract(fetched)
    ports.lap("extract")
    evaluated = evaluate(gathered, circuits=ports.circuits)
    ports.lap("evaluate")
    proven = prove(evaluated, manifest=manifest, prover=ports.prover, randomness=ports.randomness)
    ports.lap("prove")
    return proven


async def certify(
    proven: Proven, *, manifest: Manifest, challenge: bytes, platform: Platform, signer: Signer
) -> Receipt:
    """Return the receipt for a proven answer."""
    attested = await attest(proven, manifest=manifest, challenge=challenge, platform=platform)
    return respond(attested, signer=signer)
