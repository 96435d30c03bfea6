"""TEE-Rex's protocol, so that its clients can use this worker: no key, OpenPGP, a bare proof.

Paths, fields, headers and statuses are those of its server. What differs: an address has so many
proofs an hour whatever its headers say, a version of Aztec that is not here is an error, and the
worker quotes its own key only. Errors have a stable ``code`` beside TEE-Rex's ``error``.
"""

import re
import uuid
from asyncio import timeout
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from adyton.adapters.link import WorkerTimeoutError
from adyton.codec.json import loads
from adyton.codec.text import from_base64, to_base64
from adyton.errors import AdytonError, MalformedError
from adyton.gateway.cors import Cors
from adyton.gateway.exchange import json_response, read_body, while_caller_waits
from adyton.gateway.limits import Limiter
from adyton.gateway.observer import record_of
from adyton.gateway.problems import TooManyRequestsError, problem, status_of
from adyton.gateway.proving.line import Line
from adyton.gateway.proving.room import Room
from adyton.gateway.routes import Operation, Route
from adyton.gateway.tee_rex import forms
from adyton.gateway.tee_rex.visitors import Visitors
from adyton.gateway.worker import BareProof, OpenPgpDescription, Worker

__all__ = [
    "AztecVersionUnknownError",
    "EnvelopeMalformedError",
    "TeeRex",
    "versions_of",
    "with_pages",
]

_LIMIT_BYTES: Final = 50 * 1024 * 1024
# Of a body that is one text. Fifty megabytes of empty lists would be a gigabyte here.
_MAX_VALUES: Final = 64
_BODY_SECONDS: Final = timedelta(seconds=60)
# Among callers with keys, all those without one are one.
_CALLER: Final = "tee-rex"
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_CORS: Final = Cors(
    methods=("GET", "POST"),
    # Authorization: for Provenclave's pages, which share a path with these.
    headers=("Content-Type", "X-Request-Id", "X-Aztec-Version", "Authorization"),
    exposed=(
        "X-Request-Id",
        "X-Prove-Duration-Ms",
        "X-Decrypt-Duration-Ms",
        "X-Download-Duration-Ms",
        "X-Upload-Duration-Ms",
    ),
)


class EnvelopeMalformedError(MalformedError):
    """The body is not ``{"data": base64}``."""

    code = "envelope-malformed"

    def __init__(self, reason: str = "Invalid request body: expected { data: string }") -> None:
        super().__init__(reason)


class AztecVersionUnknownError(MalformedError):
    """The client's version of Aztec is not the prover's: its proofs would not verify."""

    code = "aztec-version-unknown"

    def __init__(self, *, known: Sequence[str]) -> None:
        super().__init__(f"x-aztec-version is not one of {', '.join(known) or 'none'}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TeeRex:
    """Answers TEE-Rex's clients.

    They wait in ``porch`` first, which lets them into the line one after the other: however long
    their proofs take, those of callers with keys are made beside them.
    """

    worker: Worker
    porch: Line
    line: Line
    room: Room
    visitors: Visitors
    limiter: Limiter
    deadline: timedelta

    def routes(self) -> Sequence[Route]:
        """Return its paths, each for pages: see ``Visitors`` for the origins that they are of."""
        routes = (
            Route(
                method="GET",
                path="/attestation",
                handler=self.attestation,
                operation=Operation(
                    summary="TEE-Rex: the key, and what vouches for it",
                    text="`mode` is `standard` (nothing does), `nitro` or `sgx`.",
                    answer=forms.TeeRexAttestation,
                    is_open=True,
                ),
            ),
            Route(
                method="GET",
                path="/encryption-public-key",
                handler=self.key,
                operation=Operation(
                    summary="TEE-Rex: the key",
                    text="The worker's, in every mode. Nothing vouches for it here.",
                    answer=forms.TeeRexKey,
                    is_open=True,
                ),
            ),
            Route(
                method="POST",
                path="/prove",
                handler=self.prove,
                operation=Operation(
                    summary="TEE-Rex: have a proof made",
                    text="`data` is an OpenPGP message for the key, not armored, in base64; the"
                    " header `x-aztec-version` must name the prover's version where it is sent.",
                    body=forms.TeeRexEnvelope,
                    answer=forms.TeeRexProof,
                    is_open=True,
                ),
            ),
        )
        return with_pages(routes)

    async def attestation(self, request: Request) -> Response:
        """Return the key with the evidence that the worker made over it."""
        self.visitors.check_origin(request)
        self.limiter.check_anonymous_rate()
        found = await self.worker.openpgp()
        fields: dict[str, Any] = {"mode": found.mode, "publicKey": found.key}
        match found.mode:
            case "nitro":
                fields["attestationDocument"] = to_base64(found.evidence)
            case "sgx":
                fields["quote"] = to_base64(found.evidence)
            case _:
                fields["bbVersions"] = versions_of(found)
        return json_response(fields)

    async def key(self, request: Request) -> Response:
        """Return the key: the worker's own, never one of the host's."""
        self.visitors.check_origin(request)
        self.limiter.check_anonymous_rate()
        return json_response({"publicKey": (await self.worker.openpgp()).key})

    async def prove(self, request: Request) -> Response:
        """Return the proof for what is sealed in ``request``.

        1. no page of a stranger asks through a browser here, and the address has not had too many
           proofs in the last hour;
        2. the client's version of Aztec is the prover's;
        3. the body is an envelope, in time and within its limit;
        4. there is a place in the line for it;
        5. the worker answers, while the caller waits.
        """
        # Step 1
        visitor = self.visitors.admit(request)
        # Step 2
        _check_version(request, await self.worker.openpgp())
        with self.room.share() as share:
            # Step 3
            message = await _message(request, share)
            # Steps 4 and 5
            proven = await while_caller_waits(request, self._prove(visitor, message))
        response = json_response({"proof": to_base64(proven.proof)})
        response.headers.update(_durations(proven.timings))
        return response

    async def _prove(self, visitor: str, message: bytes) -> BareProof:
        try:
            async with (
                timeout(self.deadline.total_seconds()),
                self.porch.join(visitor),
                self.line.join(_CALLER),
            ):
                return await self.worker.openpgp_prove(message, within=self.deadline)
        except TimeoutError as error:
            raise WorkerTimeoutError(within=self.deadline) from error


def with_pages(routes: Sequence[Route]) -> tuple[Route, ...]:
    """Return ``routes`` in TEE-Rex's form, and what pages ask before they use them."""
    preflights = (_CORS.preflight(route.path) for route in routes)
    return (*(_in_its_form(route) for route in routes), *preflights)


def _in_its_form(route: Route) -> Route:
    """Return ``route`` with TEE-Rex's request identifier, its form of errors, and CORS."""

    async def handler(request: Request) -> Response:
        record = record_of(request.scope)
        given = request.headers.get("x-request-id", "")
        # It goes into our log: whatever could look like something else there is not taken.
        record.request_id = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        try:
            return await route.handler(request)
        except AdytonError as error:
            record.code = error.code
            return _failed(error, record.request_id)

    return Route(
        method=route.method,
        path=route.path,
        handler=_CORS.allow(handler),
        operation=route.operation,
    )


def _failed(error: AdytonError, request_id: str) -> Response:
    status, text = status_of(error), str(error)
    match error:
        case TooManyRequestsError():
            text = "Too many prove requests, try again later"
        case _ if error.code in _NOT_OPENED:
            status, text = 400, "Failed to decrypt request payload"
    body = {"error": text, "requestId": request_id, "code": error.code, "detail": str(error)}
    response = json_response(body, status=status)
    if (pause := problem(error).headers.get("retry-after")) is not None:
        response.headers["retry-after"] = pause
    return response


_NOT_OPENED: Final = frozenset({"openpgp-rejected", "openpgp-too-large"})


def _check_version(request: Request, found: OpenPgpDescription) -> None:
    # A prover of another version makes proofs that nobody accepts: said before anything is sent.
    wanted = request.headers.get("x-aztec-version")
    if wanted is not None and wanted not in found.versions:
        raise AztecVersionUnknownError(known=tuple(found.versions))


async def _message(request: Request, share: Room) -> bytes:
    body = await read_body(
        request, limit_bytes=_LIMIT_BYTES, within=_BODY_SECONDS, share=share, media_type=None
    )
    try:
        envelope = loads(body, limit_bytes=_LIMIT_BYTES, limit_values=_MAX_VALUES)
    except MalformedError as error:
        raise EnvelopeMalformedError("Malformed request body") from error
    data = envelope.get("data") if isinstance(envelope, dict) else None
    if not isinstance(data, str) or not data:
        raise EnvelopeMalformedError
    try:
        return from_base64(data, "data", limit_bytes=_LIMIT_BYTES)
    except MalformedError as error:
        raise EnvelopeMalformedError from error


def versions_of(found: OpenPgpDescription) -> list[dict[str, str]]:
    """Return the versions of Aztec that the prover is, in TEE-Rex's form."""
    return [{"version": name, "sha256": digest} for name, digest in found.versions.items()]


def _durations(timings: Mapping[str, float]) -> dict[str, str]:
    return {
        header: str(round(timings[step]))
        for header, step in (("x-prove-duration-ms", "bb"), ("x-decrypt-duration-ms", "open"))
        if step in timings
    }
