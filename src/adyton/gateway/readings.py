"""What anybody may read, without a key: who the worker is, how things are, what can be asked."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from adyton.codec.text import to_base64
from adyton.errors import UnavailableError
from adyton.gateway import schemas
from adyton.gateway.exchange import CHALLENGE, json_response, read_challenge
from adyton.gateway.health import Health
from adyton.gateway.limits import Limiter
from adyton.gateway.metrics import Metrics
from adyton.gateway.observer import record_of
from adyton.gateway.routes import Operation, Route
from adyton.gateway.worker import Worker

__all__ = ["Readings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Tells what is known of the worker and of the gateway."""

    worker: Worker
    health: Health
    limiter: Limiter
    metrics: Metrics
    version: str

    def routes(self) -> Sequence[Route]:
        """Return the paths that are open to all."""
        return (
            Route(
                method="GET",
                path="/v1/attestation",
                handler=self.attestation,
                operation=Operation(
                    summary="What the worker is",
                    text="The key to seal credentials to, and the evidence that says who holds it."
                    " No key needed.",
                    answer=schemas.AttestationDocument,
                    parameters=(CHALLENGE,),
                    is_open=True,
                ),
            ),
            Route(
                method="GET",
                path="/v1/health",
                handler=self.status,
                operation=Operation(
                    summary="Whether questions can be answered",
                    text="200 if so, else 503 with the same form. No key needed.",
                    answer=schemas.HealthDocument,
                    is_open=True,
                    unavailable=schemas.HealthDocument,
                ),
            ),
            Route(
                method="GET",
                path="/v1/providers",
                handler=self.providers,
                operation=Operation(
                    summary="The providers",
                    text="With their credentials and digests. No key needed.",
                    answer=schemas.ProviderList,
                    is_open=True,
                ),
            ),
            Route(
                method="GET",
                path="/v1/circuits",
                handler=self.circuits,
                operation=Operation(
                    summary="The circuits",
                    text="With their verification keys. No key needed.",
                    answer=schemas.CircuitList,
                    is_open=True,
                ),
            ),
            Route(
                method="GET",
                path="/metrics",
                handler=self.exposition,
                operation=Operation(
                    summary="Metrics for Prometheus",
                    text="Counts and times; nothing that a caller sent. Keep it inside your"
                    " network.",
                    answer=None,
                    is_open=True,
                ),
            ),
        )

    async def attestation(self, request: Request) -> Response:
        """Return what the worker is, with evidence over the challenge if there is one."""
        challenge = read_challenge(request)
        evidence = None
        if challenge:
            self.limiter.check_anonymous_rate()
            evidence = await self.worker.attest(challenge)
        # Described afterwards: if the worker is another one by now, the evidence will not fit, and
        # a client that checks it asks again.
        described = await self.worker.describe()
        return json_response(
            {
                "enclave_public_key": to_base64(described.sealing_key),
                "attestation_document": to_base64(evidence or described.evidence),
                "pcr_values": dict(described.pcrs),
                "manifest": described.manifest,
                "platform": described.platform,
                "challenge": to_base64(challenge),
            }
        )

    async def status(self, request: Request) -> Response:
        """Return whether questions can be answered now."""
        report = await self.health.report()
        record_of(request.scope).code = report.code
        if report.code:
            body = {"status": "unavailable", "code": report.code, "version": self.version}
            return json_response(body | report.details, status=503)
        return json_response({"status": "ok", "version": self.version, **report.details})

    async def providers(self, _request: Request) -> Response:
        """Return the worker's providers."""
        return json_response({"providers": await self.worker.providers()})

    async def circuits(self, _request: Request) -> Response:
        """Return the worker's circuits."""
        return json_response({"circuits": await self.worker.circuits()})

    async def exposition(self, _request: Request) -> Response:
        """Return the metrics, in the text form of Prometheus."""
        with suppress(UnavailableError):
            # So that the gauge of the worker's queue is of now.
            await self.worker.health()
        text = self.metrics.exposition()
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
