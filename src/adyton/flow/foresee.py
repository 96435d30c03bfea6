"""Step ``foresee``: refuse a question that no answer could be proven for, before anything is sent.

A predicate that its circuit does not take would be found out later anyway; but by then the
credentials were used, and a data source was asked for nothing.
"""

from collections.abc import Mapping

from adyton.flow.stages import Opened
from adyton.proofs.circuit import Circuit, Facts
from adyton.proofs.registry import circuit_name
from adyton.sources import FieldDefinition

__all__ = ["foresee"]

# The facts that data will bring are not known yet: any that are possible will do.
_MONTHS = 12


def foresee(opened: Opened, *, circuits: Mapping[str, Circuit]) -> Opened:
    """Return ``opened`` if its predicate is one that the definition's circuit takes.

    Not established: that the data will fit. Raises ``MalformedError``.
    """
    definition = opened.definition
    circuit = circuits[circuit_name(definition.noir_circuit)]
    types = [
        item.data_type for item in definition.extraction.fields if isinstance(item, FieldDefinition)
    ]
    facts = Facts(
        scale=max(type_.scale for type_ in types),
        time=int(opened.time.timestamp()),
        months=opened.question.months or _MONTHS,
        type=types[0].type,
    )
    circuit.parameters.from_predicate(opened.question.predicate, facts)
    return opened
