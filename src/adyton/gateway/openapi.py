"""The description of the API: ``/openapi.json``, and ``/docs`` made from it."""

import json
from collections.abc import Sequence
from html import escape
from typing import Any, Final

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from adyton.codec.text import to_base64
from adyton.crypto.hashing import sha256
from adyton.gateway import schemas
from adyton.gateway.routes import REFERENCE, Route

__all__ = ["PAGE_HEADERS", "describe", "page"]

Json = dict[str, Any]

_SCHEMES: Final[Json] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "an API key: adk_…"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_DESCRIPTION: Final = """Answers about private data from inside a trusted execution environment.

Check the evidence of `GET /v1/attestation` before you seal a credential to its key: this host is
not to be trusted with it. The answer to a question is a receipt that anybody can verify offline."""


def describe(routes: Sequence[Route], *, version: str) -> Json:
    """Return the OpenAPI document of ``routes``. What FastAPI makes of them serves nothing."""
    router = APIRouter()
    for route in routes:
        _add(router, route)
    document: Json = get_openapi(
        title="Adyton", version=version, description=_DESCRIPTION, routes=router.routes
    )
    models = dict.fromkeys(
        [model for route in routes for model in route.operation.documents]
        + [schemas.ProblemDocument]
    )
    _, definitions = models_json_schema(
        [(model, "validation") for model in models],
        ref_template=REFERENCE,
        schema_generator=schemas.PlainSchema,
    )
    document["components"] = {"schemas": definitions["$defs"], "securitySchemes": _SCHEMES}
    return document


def _add(router: APIRouter, route: Route) -> None:
    described = route.operation.to_json()
    name = route.path.translate(_IN_A_NAME)
    router.add_api_route(
        route.path,
        _nothing,
        methods=[route.method],
        response_model=None,
        operation_id=f"{route.method.lower()}{name}",
        summary=described["summary"],
        description=described["description"],
        openapi_extra=described,
    )


async def _nothing() -> None:
    # FastAPI would describe a handler's own arguments as well; ours are in the operation.
    return


_IN_A_NAME: Final = str.maketrans({"/": "_", "{": None, "}": None})


def page(document: Json) -> bytes:
    """Return ``document`` as a page to read: no script, and nothing from anywhere else."""
    parts = [
        f"<h1>{escape(document['info']['title'])} {escape(document['info']['version'])}</h1>",
        f"<p>{_prose(document['info']['description'])}</p>",
        '<p>For programs: <a href="/openapi.json">/openapi.json</a></p><nav><ul>',
    ]
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    parts += [
        f'<li><a href="#{escape(path)}"><b>{method.upper()}</b> {escape(path)}</a> '
        f"{escape(operation['summary'])}</li>"
        for path, method, operation in operations
    ]
    parts.append("</ul></nav>")
    parts += [_section(path, method, operation) for path, method, operation in operations]
    parts.append("<h2>Forms</h2>")
    parts += [
        f'<h3 id="{escape(name)}">{escape(name)}</h3>'
        f"<p>{_prose(form.get('description', ''))}</p>{_table(form)}"
        for name, form in document["components"]["schemas"].items()
    ]
    title = escape(document["info"]["title"])
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<main>{''.join(parts)}</main></html>"
    ).encode()


def _section(path: str, method: str, operation: Json) -> str:
    parts = [
        f'<section><h2 id="{escape(path)}"><b>{method.upper()}</b> {escape(path)}</h2>',
        f"<p>{_prose(operation.get('description', ''))}</p>",
    ]
    for parameter in operation.get("parameters", []):
        name, text = escape(parameter["name"]), _prose(parameter["description"])
        parts.append(f"<p><code>?{name}=</code> {text}</p>")
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if content:
        parts.append(f"<p>Body: {_type(content['schema'])}</p>")
    for name, example in content.get("examples", {}).items():
        text = json.dumps(example["value"], indent=2, ensure_ascii=False)
        parts.append(f"<p>{escape(name)}:</p><pre>{escape(text)}</pre>")
    rows = "".join(_answer_row(status, answer) for status, answer in operation["responses"].items())
    parts.append(f"<table>{rows}</table></section>")
    return "".join(parts)


def _answer_row(status: str, answer: Json) -> str:
    forms = [_type(content["schema"]) for content in answer.get("content", {}).values() if content]
    text = _prose(answer["description"])
    return f"<tr><th>{status}</th><td>{text}</td><td>{' '.join(forms)}</td></tr>"


def _table(form: Json) -> str:
    required = set(form.get("required", []))
    rows = "".join(
        f"<tr><th>{escape(name)}{'' if name in required else '?'}</th><td>{_type(field)}</td>"
        f"<td>{_prose(field.get('description', ''))}</td></tr>"
        for name, field in form.get("properties", {}).items()
    )
    return f"<table>{rows}</table>"


def _type(field: Json) -> str:
    if reference := field.get("$ref"):
        name = escape(reference.rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if choices := field.get("anyOf"):
        return " or ".join(_type(choice) for choice in choices)
    if "const" in field or "enum" in field:
        values = field.get("enum", [field.get("const")])
        return " or ".join(f"<code>{escape(json.dumps(value))}</code>" for value in values)
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    return escape(field.get("contentEncoding") or field.get("type", "anything"))


def _prose(text: str) -> str:
    pieces = escape(text, quote=False).split("`")
    marked = [f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces)]
    return "".join(marked).replace("\n\n", "</p><p>")


_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:0;background:Canvas;color:CanvasText}"
    ":root{color-scheme:light dark}main{max-width:60rem;margin:auto;padding:1rem}"
    "h2,h3{margin-top:2em}h2 b{opacity:.6;font-size:.8em}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:.25em .75em .25em 0;"
    "border-bottom:1px solid color-mix(in srgb,CanvasText 15%,Canvas)}"
    "code,pre{font:14px/1.5 ui-monospace,monospace}"
    "pre{overflow:auto;padding:.75em;background:color-mix(in srgb,CanvasText 6%,Canvas)}"
)

# The page runs nothing and loads nothing: not even a mistake in its escaping would be a script.
PAGE_HEADERS: Final = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{to_base64(sha256(_STYLE.encode()))}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-cache",
}
