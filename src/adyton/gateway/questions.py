"""The path of a question through the gateway: who asks, how often, what; then the worker.

The gateway reads a question only to refuse early what the worker would refuse anyway. It passes on
the bytes that it got, and sends the bytes that the worker signed.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from adyton.adapters.link import WorkerUnavailableError
from adyton.adapters.store.records import ApiKey, AuditEntry, Scope
from adyton.codec.json import as_object, canonical, loads
from adyton.crypto.hashing import sha256
from adyton.errors import AdytonError, MalformedError
from adyton.gateway import question_forms, schemas
from adyton.gateway.door import Door
from adyton.gateway.exchange import (
    CHALLENGE,
    read_body,
    read_challenge,
    server_timing,
    while_caller_waits,
)
from adyton.gateway.metrics import Metrics
from adyton.gateway.observer import Record, record_of
from adyton.gateway.ports import Audit
from adyton.gateway.problems import status_of
from adyton.gateway.reach import Reach
from adyton.gateway.routes import Operation, Route
from adyton.gateway.worker import Answer, Worker, WorkerAnswerError
from adyton.model.ports import Clock
from adyton.model.question import MAX_QUESTION_BYTES, Endpoint, Question
from adyton.model.receipt import MAX_RECEIPT_BYTES
from adyton.model.statement import Statement

__all__ = ["Questions", "entry_of"]

_log = logging.getLogger(__name__)

# The widths of the audit's columns: a longer text is cut, not refused, once the answer exists.
_PROVIDER_WIDTH: Final = 128
_NAME_WIDTH: Final = 64
_SUMMARY_BYTES: Final = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Answers questions."""

    door: Door
    worker: Worker
    reach: Reach
    audit: Audit
    metrics: Metrics
    clock: Clock
    deadline: timedelta

    def routes(self) -> Sequence[Route]:
        """Return a path for each kind of question."""
        return tuple(
            Route(
                method="POST",
                path=f"/v1/verify/{endpoint.value}",
                handler=partial(self.answer, endpoint=endpoint),
                operation=_operation(endpoint),
            )
            for endpoint in Endpoint
        )

    async def answer(self, request: Request, endpoint: Endpoint) -> Response:
        """Return the worker's receipt for the question in ``request``.

        1. the caller has a key for asking, and has not asked too often in the last minute;
        2. the body is a question, in time and within its limit;
        3. there is a place for it, and the key has some of its day left;
        4. the worker answers, while the caller waits;
        5. the audit has it on the disk.

        What fails from 2 on is in the audit too. Before, it would let anybody fill the disk.
        """
        record = record_of(request.scope)
        # Step 1
        key = await self.door.admit(request, Scope.ASK)
        try:
            # Steps 2 to 4
            answer = await self._ask(request, endpoint, key)
            entry = entry_of(answer, self._blank(record, endpoint, status=200))
        except AdytonError as error:
            await self._note_failure(record, endpoint, error)
            raise
        # Step 5: if this fails, the answer is withheld.
        await self.audit.write(entry)
        self.metrics.worked(answer.timings)
        return Response(
            answer.receipt,
            media_type="application/json",
            headers={"cache-control": "no-store", "server-timing": server_timing(answer.timings)},
        )

    async def _ask(self, request: Request, endpoint: Endpoint, key: ApiKey) -> Answer:
        # Step 2
        challenge = read_challenge(request)
        body = await read_body(request, limit_bytes=MAX_QUESTION_BYTES)
        Question.from_bytes(endpoint, body)
        # Step 3
        with self.door.limiter.place(key):
            await self.door.limiter.check_day(key, now=self.clock())
            # Step 4: a worker whose providers are not yet reachable would only fail.
            if not self.reach.is_current:
                raise WorkerUnavailableError
            return await while_caller_waits(
                request,
                self.worker.ask(endpoint, body, challenge=challenge, within=self.deadline),
            )

    async def _note_failure(self, record: Record, endpoint: Endpoint, error: AdytonError) -> None:
        entry = self._blank(record, endpoint, status=status_of(error), code=error.code)
        try:
            await self.audit.write(entry)
        except AdytonError as second:
            # The caller hears why his question failed; that it isn't in the audit is ours to know.
            _log.error("audit-lost", extra={"code": second.code, "request_id": record.request_id})

    def _blank(
        self, record: Record, endpoint: Endpoint, *, status: int, code: str = ""
    ) -> AuditEntry:
        return AuditEntry(
            id=record.request_id,
            time=self.clock(),
            key_id=record.key_id,
            endpoint=endpoint.value,
            status=status,
            code=code[:_NAME_WIDTH],
        )


def entry_of(answer: Answer, blank: AuditEntry) -> AuditEntry:
    """Return ``blank`` with what the retention rule lets us keep of ``answer``.

    Digests and the summary of public inputs: not the question, whose credentials in the clear are
    in the statement. Raises ``WorkerAnswerError`` where the answer is not a receipt.
    """
    try:
        record = as_object(loads(answer.receipt, limit_bytes=MAX_RECEIPT_BYTES), "the answer")
        receipt = as_object(record.get("receipt"), "receipt")
        statement = Statement.from_json(receipt.get("statement"))
        summary = as_object(record.get("public_inputs"), "public_inputs")
        # Every database takes what is canonical; and it is a summary.
        if len(canonical(summary)) > _SUMMARY_BYTES:
            raise WorkerAnswerError
    except MalformedError as error:
        raise WorkerAnswerError from error
    return AuditEntry(
        id=blank.id,
        time=blank.time,
        key_id=blank.key_id,
        endpoint=blank.endpoint,
        status=blank.status,
        provider=statement.provider[:_PROVIDER_WIDTH],
        provider_digest=statement.provider_digest.hex(),
        circuit=statement.circuit[:_NAME_WIDTH],
        answer=statement.answer,
        public_inputs=summary,
        proof=statement.proof.hex(),
        public_inputs_digest=statement.public_inputs.hex(),
        statement=sha256(statement.to_bytes()).hex(),
        transcript=sha256(canonical(statement.transcript.to_json())).hex(),
        manifest=statement.manifest.hex(),
        timings=answer.timings,
    )


def _operation(endpoint: Endpoint) -> Operation:
    form = question_forms.QUESTIONS[endpoint]
    return Operation(
        summary=f"Ask about {endpoint.value}",
        text=f"{form.__doc__} The answer is proven; a proven no is as good as a proven yes.",
        body=form,
        examples=question_forms.EXAMPLES[endpoint],
        answer=schemas.AnswerDocument,
        parameters=(CHALLENGE,),
    )
