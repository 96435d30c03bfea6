"""The HTTP application: the routes that the capabilities bring, the API's page, and errors."""

import functools
import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp

from adyton.errors import AdytonError
from adyton.gateway.metrics import Metrics
from adyton.gateway.observer import Observer, record_of
from adyton.gateway.openapi import PAGE_HEADERS, describe, page
from adyton.gateway.problems import INTERNAL, MethodNotAllowedError, NotFoundError, problem
from adyton.gateway.routes import Capability, Route

__all__ = ["VERSION", "create_app"]

VERSION: Final = version("adyton")

# FastAPI would otherwise hand error texts and stack traces to whatever collector it finds.
_NO_TELEMETRY: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def create_app(
    capabilities: Sequence[Capability], *, metrics: Metrics, monotonic: Callable[[], float]
) -> ASGIApp:
    """Return the application of ``capabilities``."""
    app = FastAPI(
        title="Adyton",
        version=VERSION,
        # The page of its own, below, loads nothing from elsewhere.
        openapi_url=None,
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY,
    )
    routes = [route for capability in capabilities for route in capability.routes()]
    for route in routes:
        _add(app, route)
    _add_description(app, routes)
    app.add_exception_handler(AdytonError, _on_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    # Starlette answers with it, and raises the error again: the observer notes its kind.
    app.add_exception_handler(Exception, _on_error)
    return Observer(app, metrics, monotonic=monotonic)


def _add(app: FastAPI, route: Route) -> None:
    async def endpoint(request: Request) -> Response:
        # The path with its names, not with what the caller put there.
        record_of(request.scope).endpoint = route.path
        return await route.handler(request)

    described = route.operation.to_json()
    name = route.path.translate(_IN_A_NAME)
    app.add_api_route(
        route.path,
        endpoint,
        methods=[route.method],
        response_model=None,
        operation_id=f"{route.method.lower()}{name}",
        summary=described["summary"],
        description=described["description"],
        openapi_extra=described,
    )


_IN_A_NAME: Final = str.maketrans({"/": "_", "{": None, "}": None})


def _add_description(app: FastAPI, routes: Sequence[Route]) -> None:
    # Made when somebody asks: most gateways are never asked.
    document = functools.cache(
        lambda: json.dumps(describe(app, routes), ensure_ascii=False).encode()
    )

    async def openapi(_request: Request) -> Response:
        return Response(document(), media_type="application/json")

    async def docs(_request: Request) -> Response:
        return Response(page(json.loads(document())), media_type="text/html", headers=PAGE_HEADERS)

    for path, handler in {"/openapi.json": openapi, "/docs": docs}.items():
        app.add_route(path, handler, include_in_schema=False)


async def _on_error(request: Request, error: Exception) -> Response:
    code = error.code if isinstance(error, AdytonError) else INTERNAL
    record_of(request.scope).code = code
    return problem(error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    match getattr(error, "status_code", 500):
        case 404:
            ours: Exception = NotFoundError()
        case 405:
            ours = MethodNotAllowedError(allowed=_allowed(request))
        case _:
            ours = error
    return await _on_error(request, ours)


def _allowed(request: Request) -> str:
    # Starlette names the methods of the first route of a path, which may have several.
    routes = [route for route in request.app.routes if isinstance(route, StarletteRoute)]
    methods = {
        method
        for route in routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    return ", ".join(sorted(methods))
