"""What a caller sees of his jobs: how far each is, once or as a stream, and its receipt.

A job is shown to the key that made it, and to nobody else: for others there is no such job.
"""

import json
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from adyton.adapters.store.jobs import Job, JobState
from adyton.adapters.store.records import Scope
from adyton.codec.json import JsonObject
from adyton.errors import AdytonError
from adyton.gateway.door import Door
from adyton.gateway.exchange import json_response, json_text_response
from adyton.gateway.problems import TooManyRequestsError
from adyton.gateway.proving import forms
from adyton.gateway.proving.jobs import Jobs, Progress
from adyton.gateway.routes import Operation, Parameter, Route
from adyton.model.ports import Clock

__all__ = ["Following", "TooManyWatchersError", "job_document"]

# Also what keeps a proxy from cutting a stream in which nothing happens.
_TICK_SECONDS: Final = 2.0
_KEY_WATCHERS: Final = 32
_ID: Final = Parameter(name="id", text="a job of this key", place="path")


class TooManyWatchersError(TooManyRequestsError):
    """The key watches as many jobs at a time as it may."""

    code = "too-many-watchers"

    def __init__(self, *, limit: int) -> None:
        pause = timedelta(seconds=10)
        super().__init__(limit=f"{limit} jobs watched at a time", retry_after=pause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """Shows jobs, cancels them, and hands out their receipts."""

    door: Door
    jobs: Jobs
    clock: Clock
    watchers: Counter[str] = field(default_factory=Counter)

    def routes(self) -> Sequence[Route]:
        """Return the paths of one job."""
        return (
            Route(
                method="GET",
                path="/v1/jobs/{id}",
                handler=self.show,
                operation=Operation(
                    summary="How far a job is",
                    text="Its place in the line, then what the worker does.",
                    answer=forms.JobDocument,
                    parameters=(_ID,),
                ),
            ),
            Route(
                method="GET",
                path="/v1/jobs/{id}/events",
                handler=self.watch,
                operation=Operation(
                    summary="A job as it goes on",
                    text="Server-sent events, each a job as `GET /v1/jobs/{id}` shows it: at every"
                    " change and every two seconds, until it ends.",
                    answer=None,
                    parameters=(_ID,),
                ),
            ),
            Route(
                method="GET",
                path="/v1/jobs/{id}/receipt",
                handler=self.receipt,
                operation=Operation(
                    summary="What came of a job",
                    text="The receipt, or the error that it ended with.",
                    answer=forms.ProvingReceiptDocument,
                    parameters=(_ID,),
                ),
            ),
            Route(
                method="DELETE",
                path="/v1/jobs/{id}",
                handler=self.cancel,
                operation=Operation(
                    summary="Cancel a job, or forget it",
                    text="Ends its prover at once. A job that has ended is forgotten.",
                    answer=forms.JobDocument,
                    parameters=(_ID,),
                ),
            ),
        )

    async def show(self, request: Request) -> Response:
        """Return how far a job is."""
        return json_response(self._document(await self._job(request)))

    async def watch(self, request: Request) -> Response:
        """Return a stream of how far a job is, until it ends."""
        job = await self._job(request)
        if self.watchers[job.key_id] >= _KEY_WATCHERS:
            raise TooManyWatchersError(limit=_KEY_WATCHERS)
        return StreamingResponse(
            self._events(job),
            media_type="text/event-stream",
            # nginx would hold events back until there are many.
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    async def receipt(self, request: Request) -> Response:
        """Return a job's receipt, or raise what it ended with."""
        receipt = await self.jobs.receipt(await self._job(request))
        return json_text_response(receipt)

    async def cancel(self, request: Request) -> Response:
        """Cancel a job, or forget one that has ended; return how it was left."""
        job = await self._job(request)
        await self.jobs.cancel(job)
        found = job if job.state.is_end else await self.jobs.find(job.id, key_id=job.key_id)
        return json_response(self._document(found))

    async def _job(self, request: Request) -> Job:
        key = await self.door.admit(request, Scope.PROVE)
        return await self.jobs.find(request.path_params["id"], key_id=key.id)

    async def _events(self, job: Job) -> AsyncGenerator[bytes]:
        # Counted from the first event on: a stream that nobody reads never begins. And so looked at
        # again: many may have been let in before any of them began.
        if self.watchers[job.key_id] >= _KEY_WATCHERS:
            yield _event({"job": job.id, "code": TooManyWatchersError.code}, name="error")
            return
        self.watchers[job.key_id] += 1
        try:
            while True:
                yield _event(self._document(job))
                if job.state.is_end:
                    return
                await self.jobs.changed(within=_TICK_SECONDS)
                try:
                    job = await self.jobs.find(job.id, key_id=job.key_id)
                except AdytonError as error:
                    # Forgotten, or the store is away: who watches asks again and hears which.
                    yield _event({"job": job.id, "code": error.code}, name="error")
                    return
        finally:
            self.watchers[job.key_id] -= 1

    def _document(self, job: Job) -> JsonObject:
        return job_document(job, self.jobs.progress(job), now=self.clock())


def job_document(job: Job, progress: Progress, *, now: datetime) -> JsonObject:
    """Return ``job`` as callers see it at ``now``."""
    until = job.finished or now
    document: JsonObject = {
        "job": job.id,
        "state": job.state.value,
        "scheme": job.scheme,
        "target": job.target,
        "created": job.created.isoformat(timespec="milliseconds"),
        "elapsed_ms": _milliseconds(job.created, until),
    }
    if progress.place is not None:
        document["place"] = progress.place
    if progress.phase is not None:
        document["phase"] = progress.phase
    if job.started is not None:
        document["running_ms"] = _milliseconds(job.started, until)
    if job.state is JobState.DONE:
        document["receipt"] = f"/v1/jobs/{job.id}/receipt"
    if job.failure is not None:
        failure = job.failure
        document["error"] = {
            "code": failure.code,
            "family": failure.family,
            "message": failure.message,
        }
    return document


def _milliseconds(since: datetime, until: datetime) -> int:
    # Two gateways' clocks may differ: nothing took less than no time.
    return max(0, round((until - since).total_seconds() * 1000))


def _event(document: JsonObject, *, name: str = "job") -> bytes:
    # JSON has no newline of its own: one line is the whole of the data.
    return f"event: {name}\ndata: {json.dumps(document)}\n\n".encode()
