"""The path of a delegated proof through the gateway: who wants it, and when it is his turn.

The gateway reads a request's header to refuse early what the worker would refuse anyway, and for
its books; what is sealed, only the worker opens.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from adyton.adapters.link import WorkerTimeoutError, WorkerUnavailableError
from adyton.adapters.store.records import ApiKey, Scope
from adyton.codec.json import as_object, as_string, check_keys, loads
from adyton.codec.text import from_base64, to_base64
from adyton.errors import AdytonError, MalformedError
from adyton.gateway.door import Door
from adyton.gateway.exchange import (
    CHALLENGE,
    json_response,
    read_body,
    read_challenge,
    server_timing,
    while_caller_waits,
)
from adyton.gateway.observer import record_of
from adyton.gateway.proving import forms
from adyton.gateway.proving.books import Books
from adyton.gateway.proving.following import job_document
from adyton.gateway.proving.jobs import Jobs
from adyton.gateway.proving.line import Line
from adyton.gateway.proving.room import Room
from adyton.gateway.routes import Operation, Parameter, Route
from adyton.gateway.worker import Answer, Worker
from adyton.model.ports import Clock
from adyton.model.proving import MAX_SEALED_BYTES, MEDIA_TYPE, SealedProving

__all__ = ["Proving"]

_log = logging.getLogger(__name__)

# A phone's network takes a while for some megabytes.
_BODY_SECONDS: Final = timedelta(seconds=60)
_CIRCUIT_BYTES: Final = 16 * 1024 * 1024
# Of a body that is two texts: a megabyte of empty lists would be thirty in memory.
_MAX_VALUES: Final = 64
_NAME_LIMIT: Final = 64
_MODE: Final = Parameter(
    name="mode",
    text="`sync`, which is also what its absence means, or `job`: answered 202 at once",
    schema={"type": "string", "enum": ["sync", "job"]},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proving:
    """Has proofs made: while the caller waits, or as jobs."""

    door: Door
    worker: Worker
    line: Line
    room: Room
    jobs: Jobs
    books: Books
    clock: Clock
    deadline: timedelta

    def routes(self) -> Sequence[Route]:
        """Return the paths to prove, and to leave a circuit with the worker."""
        return (
            Route(
                method="POST",
                path="/v1/prove",
                handler=self.answer,
                operation=Operation(
                    summary="Have a proof made",
                    text="The body is sealed to the worker as a whole (docs/protocol.md, section"
                    " 11). The answer is a receipt with the proof; with `mode=job` it is 202 and"
                    " a job.",
                    answer=forms.ProvingReceiptDocument,
                    body_type=MEDIA_TYPE,
                    parameters=(_MODE, CHALLENGE),
                ),
            ),
            Route(
                method="POST",
                path="/v1/prove/circuits",
                handler=self.register,
                operation=Operation(
                    summary="Leave a circuit with the worker",
                    text="Requests may then name it by its digest. The host sees this circuit;"
                    " what is proven with it stays sealed.",
                    body=forms.CircuitDocument,
                    answer=forms.RegisteredCircuitDocument,
                ),
            ),
        )

    async def answer(self, request: Request) -> Response:
        """Return the worker's receipt for the sealed request, or the job that it is now.

        1. the caller has a key for proving, and has not come too often in the last minute;
        2. the body is a request with a header that can be read, in time and within its limit;
        3. the key has some of its day left;
        4. there is a place in the line, or in the store, for it;
        5. the worker answers, while the caller waits; the audit has it on the disk.
        """
        # Step 1
        key = await self.door.admit(request, Scope.PROVE)
        with self.room.share() as share:
            try:
                # Step 2
                is_job, challenge = _is_job(request), read_challenge(request)
                read = await self._read(request, share)
                # Step 3
                await self.door.limiter.check_day(key, now=self.clock())
                # Step 4
                if is_job:
                    return await self._accept(key, read, challenge)
                proven = await while_caller_waits(
                    request, self._prove(key, read.to_bytes(), challenge)
                )
            except AdytonError as error:
                await self._note_failure(request, key, error)
                raise
        # Step 5: if this fails, the answer is withheld.
        await self.books.note(record_of(request.scope).request_id, key.id, proven)
        return Response(
            proven.receipt,
            media_type="application/json",
            headers={"cache-control": "no-store", "server-timing": server_timing(proven.timings)},
        )

    async def register(self, request: Request) -> Response:
        """Return the digest of the circuit in ``request``, which the worker keeps."""
        key = await self.door.admit(request, Scope.PROVE)
        with self.room.share() as share, self.door.limiter.place(key):
            body = await read_body(
                request, limit_bytes=2 * _CIRCUIT_BYTES, within=_BODY_SECONDS, share=share
            )
            bytecode, target = _circuit(body)
            found = await while_caller_waits(
                request, self.worker.register_circuit(bytecode, target=target)
            )
        return json_response(
            {
                "circuit": found.digest.hex(),
                "verification_key": to_base64(found.verification_key),
                "gates": found.gates,
            }
        )

    async def _read(self, request: Request, share: Room) -> SealedProving:
        body = await read_body(
            request,
            limit_bytes=MAX_SEALED_BYTES,
            within=_BODY_SECONDS,
            media_type=MEDIA_TYPE,
            share=share,
        )
        return SealedProving.from_bytes(body)

    async def _accept(self, key: ApiKey, read: SealedProving, challenge: bytes) -> Response:
        job = await self.jobs.accept(key.id, read.header, read.to_bytes(), challenge)
        document = job_document(job, self.jobs.progress(job), now=self.clock())
        response = json_response(document, status=202)
        response.headers["location"] = f"/v1/jobs/{job.id}"
        return response

    async def _prove(self, key: ApiKey, sealed: bytes, challenge: bytes) -> Answer:
        # Whoever waits with an open connection is told at once; a job waits for a worker.
        if not self.worker.is_up:
            raise WorkerUnavailableError
        try:
            async with asyncio.timeout(self.deadline.total_seconds()), self.line.join(key.id):
                return await self.worker.prove(
                    sealed, challenge=challenge, within=self.deadline, on_phase=lambda _: None
                )
        except TimeoutError as error:
            raise WorkerTimeoutError(within=self.deadline) from error

    async def _note_failure(self, request: Request, key: ApiKey, error: AdytonError) -> None:
        record = record_of(request.scope)
        try:
            await self.books.note(record.request_id, key.id, error)
        except AdytonError as second:
            # The caller hears why it failed; that it isn't in the audit is ours to know.
            _log.error("audit-lost", extra={"code": second.code, "request_id": record.request_id})


def _is_job(request: Request) -> bool:
    match request.query_params.getlist("mode"):
        case [] | ["sync"]:
            return False
        case ["job"]:
            return True
        case _:
            raise MalformedError("mode is neither sync nor job")


def _circuit(body: bytes) -> tuple[bytes, str]:
    value = loads(body, limit_bytes=2 * _CIRCUIT_BYTES, limit_values=_MAX_VALUES)
    record = as_object(value, "the request")
    check_keys(
        record, "the request", required=frozenset({"bytecode", "target"}), optional=frozenset()
    )
    text = as_string(record["bytecode"], "bytecode", limit=2 * _CIRCUIT_BYTES)
    bytecode = from_base64(text, "bytecode", limit_bytes=_CIRCUIT_BYTES)
    return bytecode, as_string(record["target"], "target", limit=_NAME_LIMIT)
