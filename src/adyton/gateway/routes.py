"""A route: a path of the API, what answers there, and what the description says about it.

Each capability brings its own (``Capability``); ``app`` only puts them together. The forms in an
``Operation`` are for the description alone: nothing is parsed with them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from adyton.gateway import schemas

__all__ = [
    "REFERENCE",
    "Capability",
    "Handler",
    "Operation",
    "Parameter",
    "Route",
]

Handler = Callable[[Request], Awaitable[Response]]
Json: TypeAlias = dict[str, Any]

REFERENCE: Final = "#/components/schemas/{model}"
_SECURITY: Final[list[Json]] = [{"bearer": []}, {"header": []}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One value in the path or in the query."""

    name: str
    text: str
    place: str = "query"
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})

    def to_json(self) -> Json:
        """Return the parameter object of OpenAPI."""
        required = {"required": True} if self.place == "path" else {}
        return {
            "name": self.name,
            "in": self.place,
            "schema": dict(self.schema),
            "description": self.text,
            **required,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What there is to say about a route, beyond its method and path.

    ``answer`` is ``None`` where the answer is text, of the media type ``answer_type``. ``is_open``
    says that no key is needed. ``unavailable`` is the form of a 503, where that is not a problem.
    ``body_type`` is the media type of a body that is bytes.
    """

    summary: str
    text: str
    answer: type[BaseModel] | None
    body: type[BaseModel] | None = None
    examples: Mapping[str, Any] = field(default_factory=dict)
    parameters: Sequence[Parameter] = ()
    is_open: bool = False
    unavailable: type[BaseModel] | None = None
    body_type: str = ""
    answer_type: str = "text/plain"

    @property
    def documents(self) -> tuple[type[BaseModel], ...]:
        """The forms that the operation refers to."""
        found = (self.body, self.answer, self.unavailable)
        return tuple(document for document in found if document is not None)

    def to_json(self) -> Json:
        """Return the operation object of OpenAPI."""
        made: Json = {
            "summary": self.summary,
            "description": self.text,
            "parameters": [parameter.to_json() for parameter in self.parameters],
            "responses": {"200": self._answered(), **self._refused()},
        }
        if not self.is_open:
            made["security"] = _SECURITY
        if self.body is not None:
            examples = {name: {"value": value} for name, value in self.examples.items()}
            content = _content(self.body)["application/json"]
            content |= {"examples": examples} if examples else {}
            made["requestBody"] = {"required": True, "content": {"application/json": content}}
        if self.body_type:
            content = {self.body_type: {"schema": {"type": "string", "format": "binary"}}}
            made["requestBody"] = {"required": True, "content": content}
        return made

    def _answered(self) -> Json:
        if self.answer is None:
            return {"description": "text", "content": {self.answer_type: {}}}
        return {"description": "the answer", "content": _content(self.answer)}

    def _refused(self) -> Json:
        # Whoever sends neither a key nor a body can only come too early.
        known = schemas.ANSWERS if not self.is_open or self.body else {503: schemas.ANSWERS[503]}
        refused = {str(status): _problem(why) for status, why in known.items()}
        if self.unavailable is not None:
            text = "not now: `code` says why"
            refused["503"] = {"description": text, "content": _content(self.unavailable)}
        return refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One path of the API. ``path`` may hold ``{names}``, which a request fills in."""

    method: str
    path: str
    handler: Handler
    operation: Operation


class Capability(Protocol):
    """One thing that the gateway does."""

    def routes(self) -> Sequence[Route]:
        """Return the paths that lead to it."""
        ...


def _content(model: type[BaseModel]) -> Json:
    return {"application/json": {"schema": {"$ref": REFERENCE.format(model=model.__name__)}}}


def _problem(text: str) -> Json:
    reference = {"$ref": REFERENCE.format(model=schemas.ProblemDocument.__name__)}
    content = {"application/problem+json": {"schema": reference}}
    return {"description": text, "content": content}
