"""Step ``evaluate``: the question's parameters, the data in their places, and the plain answer."""

from collections.abc import Mapping

from adyton.flow.stages import Evaluated, Gathered
from adyton.proofs.binding import Binding
from adyton.proofs.circuit import Asked, Circuit

__all__ = ["evaluate"]


def evaluate(gathered: Gathered, *, circuits: Mapping[str, Circuit]) -> Evaluated:
    """Return the evaluated question.

    1. The parameters follow from the question and from public facts alone, so that a verifier comes
       to the same ones.
    2. The data fit the circuit: no value is cut off, rounded or left out.

    Raises ``MalformedError`` for a predicate that the circuit does not take, ``RejectedError`` for
    data that do not fit.
    """
    opened = gathered.fetched.opened
    question, definition = opened.question, opened.definition
    circuit = circuits[definition.noir_circuit]
    time = int(opened.time.timestamp())
    # Step 1
    asked = Asked(predicate=question.predicate, time=time, months=question.months, salt=opened.salt)
    facts = circuit.parameters.facts(gathered.extracted, asked)
    parameters = circuit.parameters.from_predicate(question.predicate, facts)
    # Step 2
    private = parameters.private_inputs(gathered.extracted, asked)
    binding = Binding.of(
        nonce=question.nonce,
        audience=question.audience,
        source=gathered.extracted.source,
        provider_digest=opened.provider_digest,
        time=time,
    )
    return Evaluated(
        gathered=gathered,
        circuit=circuit,
        binding=binding,
        facts=facts,
        parameters=parameters,
        private=private,
        answer=private.evaluate(binding),
    )
