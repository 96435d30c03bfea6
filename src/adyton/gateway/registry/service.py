"""The paths of the registry: who may do what, and how often."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from adyton.adapters.store.records import ApiKey, Scope
from adyton.adapters.store.registry import RegistryTable
from adyton.codec.text import to_base64
from adyton.crypto.draw import candidates_digest, draw
from adyton.errors import RejectedError
from adyton.gateway.door import Door
from adyton.gateway.exchange import json_response, read_body, while_caller_waits
from adyton.gateway.limits import Limiter
from adyton.gateway.registry import documents
from adyton.gateway.registry.admission import Admission
from adyton.gateway.registry.reading import (
    BODY_BYTES,
    read_application,
    read_candidates,
    read_drawing,
    read_heartbeat,
    read_page,
    read_reason,
    read_worker,
)
from adyton.gateway.registry.shown import (
    show_candidates,
    show_worker,
    with_exhibit,
)
from adyton.gateway.routes import Route
from adyton.model.ports import Clock
from adyton.model.registry import Event
from adyton.model.verdict import shown

__all__ = ["CandidatesChangedError", "Registry"]

_SHORT_BODY: Final = 4096

_log = logging.getLogger(__name__)


class CandidatesChangedError(RejectedError):
    """A draw was asked for over another list of candidates than the one of now."""

    code = "candidates-changed"

    def __init__(self) -> None:
        super().__init__("the candidates are others than those of this digest by now")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Answers for the registry."""

    door: Door
    limiter: Limiter
    registry: RegistryTable
    admission: Admission
    clock: Clock

    def routes(self) -> Sequence[Route]:
        """Return the paths of the registry."""
        made = "/v1/registry/workers"
        one = f"{made}/{{id}}"
        handlers = {
            ("POST", "/v1/registry/challenges"): (self.challenge, documents.CHALLENGE),
            ("POST", made): (self.register, documents.REGISTER),
            ("GET", made): (self.workers, documents.WORKERS),
            ("GET", one): (self.worker, documents.WORKER),
            ("POST", f"{one}/heartbeats"): (self.heartbeat, documents.HEARTBEAT),
            ("POST", f"{one}/suspend"): (self.suspend, documents.SUSPEND),
            ("POST", f"{one}/reinstate"): (self.reinstate, documents.REINSTATE),
            ("GET", "/v1/registry/candidates"): (self.candidates, documents.CANDIDATES),
            ("GET", "/v1/registry/selection"): (self.selection, documents.SELECTION),
        }
        return tuple(
            Route(method=method, path=path, handler=handler, operation=operation)
            for (method, path), (handler, operation) in handlers.items()
        )

    async def challenge(self, request: Request) -> Response:
        """Return a challenge for one registration."""
        key = await self.door.admit(request, Scope.REGISTER)
        challenge, expires = await self.admission.challenge(key.id, now=self.clock())
        return json_response({"challenge": to_base64(challenge), "expires": shown(expires)})

    async def register(self, request: Request) -> Response:
        """Register the worker that applies.

        1. the caller has a key for registering, and has not come too often in the last minute;
        2. the body is an application, in time and within its limit;
        3. there is a place for it;
        4. the worker is admitted.
        """
        # Step 1
        key = await self.door.admit(request, Scope.REGISTER)
        # Step 2
        application = read_application(await read_body(request, limit_bytes=BODY_BYTES))
        # Step 3
        with self.door.limiter.place(key):
            # Step 4
            worker = await while_caller_waits(
                request,
                self.admission.register(application, owner=key.id, now=self.clock()),
            )
        _log.info("worker-registered", extra={"worker": worker.id, "key_id": key.id})
        return json_response(show_worker(worker))

    async def heartbeat(self, request: Request) -> Response:
        """Note that a worker is there."""
        await self.door.admit(request, Scope.REGISTER)
        body = await read_body(request, limit_bytes=_SHORT_BODY)
        beaten = read_heartbeat(read_worker(request), body)
        state = await self.admission.hear(beaten, now=self.clock())
        return json_response({"id": beaten.heartbeat.worker, "state": state.value})

    async def suspend(self, request: Request) -> Response:
        """Take a worker out."""
        key = await self.door.admit(request, Scope.OPERATE)
        reason = read_reason(await read_body(request, limit_bytes=_SHORT_BODY))
        return await self._change(request, key, Event.SUSPEND, reason)

    async def reinstate(self, request: Request) -> Response:
        """Let a worker come back, with new evidence."""
        key = await self.door.admit(request, Scope.OPERATE)
        return await self._change(request, key, Event.REINSTATE, "")

    async def workers(self, request: Request) -> Response:
        """Return the workers that the query wants."""
        self.limiter.check_anonymous_rate()
        page = read_page(request)
        found = await self.registry.query(
            page.wanted, now=self.clock(), limit=page.limit, after=page.after
        )
        following = {"after": found[-1].id} if len(found) == page.limit else {}
        return json_response({"workers": [show_worker(worker) for worker in found], **following})

    async def worker(self, request: Request) -> Response:
        """Return one worker, with what it showed."""
        self.limiter.check_anonymous_rate()
        worker, exhibit = await self.registry.find(read_worker(request), now=self.clock())
        return json_response(with_exhibit(show_worker(worker), exhibit))

    async def candidates(self, request: Request) -> Response:
        """Return the list that a draw would be over."""
        self.limiter.check_anonymous_rate()
        wanted, now = read_candidates(request), self.clock()
        found = await self.registry.candidates(wanted, now=now)
        return json_response(show_candidates(found, at=now))

    async def selection(self, request: Request) -> Response:
        """Return a draw, with all that it is a function of."""
        self.limiter.check_anonymous_rate()
        drawing, now = read_drawing(request), self.clock()
        candidates = await self.registry.candidates(drawing.wanted, now=now)
        if drawing.expected not in {None, candidates_digest(candidates)}:
            raise CandidatesChangedError
        names = draw(drawing.seed, candidates, count=drawing.count)
        found = await self.registry.named(names, now=now)
        if len(found) != len(names):
            # One was forgotten between the two readings.
            raise CandidatesChangedError
        return json_response(
            {
                **show_candidates(candidates, at=now),
                "seed": drawing.seed.hex(),
                "selected": [show_worker(found[name]) for name in names],
            }
        )

    async def _change(self, request: Request, key: ApiKey, event: Event, reason: str) -> Response:
        worker = read_worker(request)
        state = await self.registry.change(worker, event, reason=reason, now=self.clock())
        fields = {"worker": worker, "event": event.value, "key_id": key.id}
        _log.warning("worker-changed", extra=fields)
        return json_response({"id": worker, "state": state.value})
