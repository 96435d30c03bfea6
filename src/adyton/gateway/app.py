"""The HTTP application: the routes that the capabilities bring, the API's page, and errors."""

import asyncio
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from adyton.errors import AdytonError
from adyton.gateway.metrics import Metrics
from adyton.gateway.observer import Observer, record_of
from adyton.gateway.pages import check_page
from adyton.gateway.problems import INTERNAL, MethodNotAllowedError, NotFoundError, problem
from adyton.gateway.routes import Capability, Route

__all__ = ["VERSION", "create_app"]

VERSION: Final = version("adyton")


def create_app(
    capabilities: Sequence[Capability], *, metrics: Metrics, monotonic: Callable[[], float]
) -> ASGIApp:
    """Return the application of ``capabilities``."""
    routes = [route for capability in capabilities for route in capability.routes()]
    # Where pages ask first, they may use what is there.
    for_pages = {route.path for route in routes if route.method == "OPTIONS"}
    served = [_served(route, is_for_pages=route.path in for_pages) for route in routes]
    app = Starlette(
        routes=[*served, *_description(routes)],
        exception_handlers={
            AdytonError: _on_error,
            HTTPException: _on_http_error,
            # Starlette answers with it, and raises the error again: the observer notes its kind.
            Exception: _on_error,
        },
    )
    app.router.redirect_slashes = False
    return Observer(app, metrics, monotonic=monotonic)


class _Endpoint:
    """What answers at one route: an ASGI application, so that nothing stands in between."""

    def __init__(self, route: Route, *, is_for_pages: bool) -> None:
        self._path, self._handler = route.path, route.handler
        self._is_for_pages = is_for_pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The path with its names, not with what the caller put there.
        record_of(scope).endpoint = self._path
        request = Request(scope, receive, send)
        if not self._is_for_pages:
            check_page(request.headers, method=request.method)
        response = await self._handler(request)
        await response(scope, receive, send)


def _served(route: Route, *, is_for_pages: bool) -> StarletteRoute:
    endpoint = _Endpoint(route, is_for_pages=is_for_pages)
    served = StarletteRoute(route.path, endpoint, methods=[route.method])
    # Starlette would answer HEAD wherever it answers GET; our description does not have it.
    served.methods = {route.method}
    return served


def _description(routes: Sequence[Route]) -> list[StarletteRoute]:
    @functools.cache
    def described() -> tuple[bytes, bytes, Mapping[str, str]]:
        # Made when somebody asks: most gateways are never asked, and do without FastAPI.
        from adyton.gateway.openapi import PAGE_HEADERS, describe, page  # noqa: PLC0415

        document = describe(routes, version=VERSION)
        return json.dumps(document, ensure_ascii=False).encode(), page(document), PAGE_HEADERS

    async def openapi(_request: Request) -> Response:
        document, _, _ = await asyncio.to_thread(described)
        return Response(document, media_type="application/json")

    async def docs(_request: Request) -> Response:
        _, text, headers = await asyncio.to_thread(described)
        return Response(text, media_type="text/html", headers=headers)

    return [StarletteRoute("/openapi.json", openapi), StarletteRoute("/docs", docs)]


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
