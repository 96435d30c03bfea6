"""The currency of amounts: a column of its own, or US dollars where a definition has none."""

from adyton.codec.json import JsonObject, as_string
from adyton.errors import RejectedError
from adyton.model.value import Extracted
from adyton.proofs.columns import find_column, required, texts
from adyton.proofs.predicates import DEFAULT_CURRENCY

__all__ = ["CurrenciesMixedError", "currencies_of", "currency_from_json", "one_currency"]


class CurrenciesMixedError(RejectedError):
    """Amounts are to be added up, and are not in one currency."""

    code = "currencies-mixed"

    def __init__(self) -> None:
        super().__init__("the source gives amounts in several currencies, which do not add up")


def currencies_of(extracted: Extracted, *, rows: int) -> tuple[str, ...]:
    """Return the currency of each row."""
    if "currency" not in extracted.columns:
        return (DEFAULT_CURRENCY,) * rows
    return required(texts(find_column(extracted, "currency"), "currency"), "currency")


def one_currency(extracted: Extracted, *, rows: int) -> str:
    """Return the currency of all rows, of which there is one at least."""
    found = set(currencies_of(extracted, rows=rows))
    if len(found) != 1:
        raise CurrenciesMixedError
    return found.pop()


def currency_from_json(record: JsonObject) -> str:
    """Return the currency in a statement's parameters."""
    return as_string(record["currency"], "parameters.currency", limit=3)
