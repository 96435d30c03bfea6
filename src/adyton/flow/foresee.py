"""Step ``foresee``: refuse a question that may not, or can't, be answered, before anything is sent.

A predicate that its circuit does not take would be found out later anyway; but by then the
credentials were used, and a data source was asked for nothing. And the disclosure budget is spent
here, before there are data: an error about data says something about them, too.
"""

from collections.abc import Mapping

from adyton.codec.json import JsonObject, canonical
from adyton.crypto.hashing import sha256
from adyton.flow.ports import Budget, Prover
from adyton.flow.stages import Opened
from adyton.proofs.circuit import Circuit, Facts
from adyton.sources import FieldDefinition

__all__ = ["foresee"]

# The facts that data will bring are not known yet: any that are possible will do.
_MONTHS = 12


def foresee(
    opened: Opened, *, circuits: Mapping[str, Circuit], prover: Prover, budget: Budget
) -> Opened:
    """Return ``opened`` if there can be an answer.

    1. The definition's circuit can be proven here, and takes this predicate.
    2. The credential may still be asked this, as a different question or as the same one again.

    Not established: that the data will fit. Raises ``MalformedError``, ``RejectedError`` for an
    exhausted budget, ``UnavailableError`` where nothing can be proven.
    """
    # Step 1
    definition, question = opened.definition, opened.question
    circuit = circuits[definition.noir_circuit]
    prover.check(circuit)
    types = [
        item.data_type for item in definition.extraction.fields if isinstance(item, FieldDefinition)
    ]
    facts = Facts(
        scale=max(type_.scale for type_ in types),
        time=int(opened.time.timestamp()),
        months=question.months or _MONTHS,
        type=types[0].type,
    )
    circuit.parameters.from_predicate(question.predicate, facts)
    # Step 2
    if opened.subject is not None:
        # Nonce, audience and time are not in it: two askings of one question are one question. What
        # fills the request beside the secrets is: a url or a tax year decides what is looked at.
        secret = {item.name for item in definition.request.credentials if item.encrypted}
        asked: JsonObject = {
            "predicate": question.predicate,
            "months": question.months,
            "filled": {
                name: value for name, value in opened.credentials.items() if name not in secret
            },
        }
        budget.spend(opened.subject, sha256(definition.digest() + canonical(asked)))
    return opened
