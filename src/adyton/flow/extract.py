"""Step ``extract``: what the provider's definition takes from the answer, and nothing else."""

from dataclasses import dataclass, field

from adyton.flow.fetch import Fetched
from adyton.model.value import Extracted
from adyton.sources import extract as extract_columns

__all__ = ["Gathered", "extract"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The answer's values, typed and exact; the answer itself is left behind."""

    fetched: Fetched
    extracted: Extracted = field(repr=False)


def extract(fetched: Fetched) -> Gathered:
    """Return the columns that the definition names.

    Raises ``UnavailableError`` where the answer does not have them as the definition says.
    """
    definition = fetched.opened.definition
    names = [item.name for item in definition.extraction.fields]
    return Gathered(
        fetched=fetched,
        extracted=extract_columns(fetched.body, definition=definition, fields=names),
    )
