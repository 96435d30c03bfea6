"""Step ``extract``: what the provider's definition takes from the answer, and nothing else."""

from adyton.flow.stages import Fetched, Gathered
from adyton.sources import extract as extract_columns

__all__ = ["extract"]


def extract(fetched: Fetched) -> Gathered:
    """Return the columns that the definition's circuit reads.

    Raises ``UnavailableError`` where the answer does not have them as the definition says.
    """
    extracted = extract_columns(fetched.body, definition=fetched.opened.definition)
    return Gathered(fetched=fetched, extracted=extracted)
