"""From options to a predicate in RFC-0023's shape, by what the endpoint calls it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adyton.codec.json import Json, JsonObject, as_object, loads
from adyton.errors import MalformedError
from adyton.model.question import Endpoint

__all__ = ["OptionMalformedError", "PredicateOptions", "read_predicate"]

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?", re.ASCII)
# Beyond this a JSON reader may round: such numbers go as text.
_EXACT: Final = 2**53 - 1
_LIMIT: Final = 64 * 1024
# RFC-0023's name of each comparison, where an endpoint has one of its own.
_NAMES: Final[Mapping[tuple[Endpoint, str], str]] = {
    (Endpoint.INCOME, "gte"): "annual_gte",
    (Endpoint.INCOME, "lte"): "annual_lte",
    (Endpoint.CREDIT, "gte"): "score_gte",
    (Endpoint.CREDIT, "lte"): "score_lte",
}
_DEFAULTS: Final[Mapping[Endpoint, str]] = {
    Endpoint.EMPLOYMENT: "currently_employed",
    Endpoint.EDUCATION: "has_degree",
}


class OptionMalformedError(MalformedError):
    """The options do not make a question."""

    code = "usage"


@dataclass(frozen=True, slots=True, kw_only=True)
class PredicateOptions:
    """What was given on the command line; ``None`` was not."""

    gte: str | None
    lte: str | None
    minimum: str | None
    maximum: str | None
    predicate: str | None
    currency: str | None


def read_predicate(endpoint: Endpoint, options: PredicateOptions) -> JsonObject:
    """Return the predicate, or raise ``MalformedError``."""
    given = [
        name
        for name, value in {
            "--gte": options.gte,
            "--lte": options.lte,
            "--min/--max": options.minimum or options.maximum,
            "--predicate": options.predicate,
        }.items()
        if value is not None
    ]
    if len(given) > 1:
        raise OptionMalformedError(f"give one of {' and '.join(given)}, not both")
    if options.predicate is not None:
        found = as_object(
            loads(options.predicate.encode(), limit_bytes=_LIMIT), "the predicate of --predicate"
        )
    else:
        found = _comparison(endpoint, options)
    if options.currency is not None:
        found = {**found, "currency": options.currency}
    return found


def _comparison(endpoint: Endpoint, options: PredicateOptions) -> JsonObject:
    if options.minimum is not None or options.maximum is not None:
        if options.minimum is None or options.maximum is None:
            raise OptionMalformedError("--min and --max come together")
        low, high = _number("--min", options.minimum), _number("--max", options.maximum)
        return {"type": "range", "min": low, "max": high}
    for comparison, bound in (("gte", options.gte), ("lte", options.lte)):
        if bound is not None:
            number = _number(f"--{comparison}", bound)
            if endpoint is Endpoint.EMPLOYMENT and comparison == "gte":
                return {"type": "tenure_gte", "value": number}
            return {"type": _NAMES.get((endpoint, comparison), comparison), "threshold": number}
    if endpoint in _DEFAULTS:
        return {"type": _DEFAULTS[endpoint]}
    raise OptionMalformedError("what is asked? give --gte, --lte, --min and --max, or --predicate")


def _number(name: str, text: str) -> Json:
    if not _NUMBER.fullmatch(text):
        raise OptionMalformedError(f"{name} is not a number as 10000 or 0.30")
    # With a fraction it is text: readers of JSON disagree about the digits of one.
    return text if "." in text or abs(int(text)) > _EXACT else int(text)
