"""The HTTP application: which path leads where. What happens there is in the modules it names."""

import functools
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from adyton.codec.text import to_base64
from adyton.errors import AdytonError, UnavailableError
from adyton.gateway.exchange import read_challenge
from adyton.gateway.health import Health
from adyton.gateway.limits import Limiter
from adyton.gateway.metrics import Metrics
from adyton.gateway.observer import Observer, record_of
from adyton.gateway.openapi import PAGE_HEADERS, describe, operation, page
from adyton.gateway.problems import INTERNAL, MethodNotAllowedError, NotFoundError, problem
from adyton.gateway.questions import Questions
from adyton.gateway.verifications import Verifications
from adyton.gateway.worker import Worker
from adyton.model.question import Endpoint

__all__ = ["Services", "create_app"]

Handler = Callable[[Request], Awaitable[Response]]

VERSION: Final = version("adyton")

# FastAPI would otherwise hand error texts and stack traces to whatever collector it finds.
_NO_TELEMETRY: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the paths lead to."""

    questions: Questions
    verifications: Verifications
    worker: Worker
    health: Health
    limiter: Limiter
    metrics: Metrics
    monotonic: Callable[[], float]


def create_app(services: Services) -> ASGIApp:
    """Return the application around ``services``."""
    app = FastAPI(
        title="Adyton",
        version=VERSION,
        # The page of its own, below, loads nothing from elsewhere.
        openapi_url=None,
        redirect_slashes=False,
        telemetry=_NO_TELEMETRY,
    )
    for endpoint in Endpoint:
        _add(app, "POST", f"/v1/verify/{endpoint.value}", _question(services, endpoint))
    _add(app, "POST", "/v1/verify/proof", services.verifications.answer)
    for path, handler in _readings(services).items():
        _add(app, "GET", path, handler)
    _add_description(app)
    app.add_exception_handler(AdytonError, _on_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    # Starlette answers with it, and raises the error again: the observer notes its kind.
    app.add_exception_handler(Exception, _on_error)
    return Observer(app, services.metrics, monotonic=services.monotonic)


def _add(app: FastAPI, method: str, path: str, handler: Handler) -> None:
    async def endpoint(request: Request) -> Response:
        record_of(request.scope).endpoint = path
        return await handler(request)

    described = operation(path)
    app.add_api_route(
        path,
        endpoint,
        methods=[method],
        response_model=None,
        operation_id=f"{method.lower()}{path.replace('/', '_')}",
        summary=described["summary"],
        description=described["description"],
        openapi_extra=described,
    )


def _add_description(app: FastAPI) -> None:
    # Made when somebody asks: most gateways are never asked.
    document = functools.cache(lambda: json.dumps(describe(app), ensure_ascii=False).encode())

    async def openapi(_request: Request) -> Response:
        return Response(document(), media_type="application/json")

    async def docs(_request: Request) -> Response:
        return Response(page(json.loads(document())), media_type="text/html", headers=PAGE_HEADERS)

    for path, handler in {"/openapi.json": openapi, "/docs": docs}.items():
        app.add_route(path, handler, include_in_schema=False)


def _question(services: Services, endpoint: Endpoint) -> Handler:
    return lambda request: services.questions.answer(request, endpoint)


def _readings(services: Services) -> dict[str, Handler]:
    worker = services.worker

    async def attestation(request: Request) -> Response:
        challenge = read_challenge(request)
        evidence = None
        if challenge:
            services.limiter.check_anonymous_rate()
            evidence = await worker.attest(challenge)
        # Described afterwards: if the worker is another one by now, the evidence will not fit, and
        # a client that checks it asks again.
        described = await worker.describe()
        return _json(
            {
                "enclave_public_key": to_base64(described.sealing_key),
                "attestation_document": to_base64(evidence or described.evidence),
                "pcr_values": dict(described.pcrs),
                "manifest": described.manifest,
                "platform": described.platform,
                "challenge": to_base64(challenge),
            }
        )

    async def health(request: Request) -> Response:
        report = await services.health.report()
        record_of(request.scope).code = report.code
        if report.code:
            body = {"status": "unavailable", "code": report.code, "version": VERSION}
            return _json(body | report.details, status=503)
        return _json({"status": "ok", "version": VERSION, **report.details})

    async def providers(_request: Request) -> Response:
        return _json({"providers": await worker.providers()})

    async def circuits(_request: Request) -> Response:
        return _json({"circuits": await worker.circuits()})

    async def metrics(_request: Request) -> Response:
        with suppress(UnavailableError):
            # So that the gauge of the worker's queue is of now.
            await worker.health()
        text = services.metrics.exposition()
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    return {
        "/v1/attestation": attestation,
        "/v1/health": health,
        "/v1/providers": providers,
        "/v1/circuits": circuits,
        "/metrics": metrics,
    }


def _json(value: object, *, status: int = 200) -> Response:
    return Response(
        json.dumps(value, ensure_ascii=False).encode(),
        status_code=status,
        media_type="application/json",
        headers={"cache-control": "no-store"},
    )


async def _on_error(request: Request, error: Exception) -> Response:
    code = error.code if isinstance(error, AdytonError) else INTERNAL
    record_of(request.scope).code = code
    return problem(error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    match getattr(error, "status_code", 500):
        case 404:
            ours: Exception = NotFoundError()
        case 405:
            headers = getattr(error, "headers", None) or {}
            ours = MethodNotAllowedError(allowed=headers.get("Allow", ""))
        case _:
            ours = error
    return await _on_error(request, ours)
