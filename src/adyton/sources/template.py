"""A definition and credentials to the one request that they mean.

A placeholder is encoded for where it stands: here in a URL or a header, in ``bodies`` in a body. A
credential can so be any text at all and still be no more than a value: it never adds a key, a
header, a path segment or a request, and never chooses who receives the others.

The ``check_*`` functions refuse a template where that could not be promised, when it is loaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from adyton.codec.json import as_object, as_string, loads
from adyton.codec.url import Url, read_url
from adyton.errors import MalformedError
from adyton.sources.bodies import render_body
from adyton.sources.credentials import CredentialMalformedError, Window, fill
from adyton.sources.definition import ProviderDefinition, RequestDefinition
from adyton.sources.headers import Headers, check_header, check_headers
from adyton.sources.placeholders import Piece, Placeholder, names_in, pieces_of, whole

__all__ = ["METHODS", "Request", "check_header_template", "check_url_template", "render"]

METHODS: Final = frozenset({"GET", "PATCH", "POST", "PUT"})
_MAX_HEADERS_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request. What may hold a credential is hidden from ``repr``.

    ``headers`` has neither Host nor Content-Length: whoever sends the request writes those.
    """

    method: str
    host: str
    port: int
    target: str = field(repr=False)
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)


def render(
    definition: ProviderDefinition,
    credentials: Mapping[str, str],
    *,
    window: Window | None = None,
) -> Request:
    """Return the request for ``definition`` with ``credentials``.

    Raises ``CredentialMalformedError``, which never repeats a value. ``ValueError`` if the
    definition needs the window that the question looks back over and there is none.
    """
    request = definition.request
    values = fill(request, credentials, window)
    url = _url(request.url, values)
    template = request.body_template
    return Request(
        method=_method(request, values),
        host=url.host,
        port=url.port,
        target=url.target,
        headers=_headers(request, values),
        body=b"" if template is None else render_body(template, request.body_kind, values),
    )


def check_url_template(text: str) -> None:
    """Raise ``MalformedError`` unless every placeholder is in a path segment or in the query.

    A URL that is one whole placeholder is read when its value is known.
    """
    if whole(text) is None:
        _url(text, dict.fromkeys(names_in(text), "x"))


def check_header_template(name: str, text: str) -> None:
    """Raise ``MalformedError`` unless the header may be set, whatever its placeholders hold."""
    check_header(name, _header(text, dict.fromkeys(names_in(text), "x")))


def _method(request: RequestDefinition, values: Mapping[str, str]) -> str:
    if (name := whole(request.method)) is None:
        return request.method
    if values[name] not in METHODS:
        reason = f"is not one of {', '.join(sorted(METHODS))}"
        raise CredentialMalformedError(name=name, reason=reason)
    return values[name]


def _url(text: str, values: Mapping[str, str]) -> Url:
    if (name := whole(text)) is not None:
        try:
            return read_url(values[name])
        except MalformedError as error:
            raise CredentialMalformedError(name=name, reason=f"is not a url: {error}") from error
    path, mark, query = text.partition("?")
    if names_in("/".join(path.split("/")[:3])):
        # A host with a placeholder would let a credential choose who receives the others.
        raise MalformedError("a placeholder stands in the url's host part")
    segments = [_segment(pieces_of(segment), values) for segment in path.split("/")]
    return read_url("/".join(segments) + mark + _percent_encoded(pieces_of(query), values))


def _segment(pieces: tuple[Piece, ...], values: Mapping[str, str]) -> str:
    """Return one path segment; no value makes it empty, "." or "..", which readers take out."""
    segment = _percent_encoded(pieces, values)
    for piece in pieces:
        if isinstance(piece, Placeholder) and segment in {"", ".", ".."}:
            raise CredentialMalformedError(name=piece.name, reason="cannot be a path segment")
    return segment


def _percent_encoded(pieces: tuple[Piece, ...], values: Mapping[str, str]) -> str:
    return "".join(
        piece if isinstance(piece, str) else quote(values[piece.name], safe="") for piece in pieces
    )


def _headers(request: RequestDefinition, values: Mapping[str, str]) -> Headers:
    if not isinstance(request.headers, str):
        return tuple((name, _header(text, values)) for name, text in request.headers)
    (name,) = names_in(request.headers)
    if not values[name]:
        return ()
    try:
        record = as_object(
            loads(values[name].encode(), limit_bytes=_MAX_HEADERS_BYTES), "the value"
        )
        headers = tuple((key, as_string(item, "a header")) for key, item in record.items())
        check_headers(headers)
    except MalformedError as error:
        # Not the error's text: it names headers, and they are the credential.
        reason = "is not a json object of headers that may be set"
        raise CredentialMalformedError(name=name, reason=reason) from error
    return headers


def _header(text: str, values: Mapping[str, str]) -> str:
    pieces = pieces_of(text)
    for piece in pieces:
        if isinstance(piece, Placeholder):
            _check_header_value(piece.name, values[piece.name])
    return "".join(piece if isinstance(piece, str) else values[piece.name] for piece in pieces)


def _check_header_value(name: str, value: str) -> None:
    try:
        check_header("X-Credential", value)
    except MalformedError as error:
        reason = "cannot stand in a header: it is empty or holds other than visible ascii"
        raise CredentialMalformedError(name=name, reason=reason) from error
