"""Ranges of proofs, sent while they are read: a proof a line, and a few of them in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from adyton.adapters.ledger.archive import ProofUnknownError
from adyton.errors import AdytonError, MalformedError
from adyton.gateway.notary.client import Notary
from adyton.gateway.observer import record_of
from adyton.gateway.problems import CallerGoneError, OverloadedError

__all__ = ["MOST_PROOFS", "NDJSON", "Ranges"]

MOST_PROOFS: Final = 4096
NDJSON: Final = "application/x-ndjson"
_AT_A_TIME: Final = 32
_WITHIN: Final = timedelta(seconds=60)


@dataclass(slots=True, kw_only=True)
class Ranges:
    """Answers with ranges of proofs, so many at a time."""

    notary: Notary
    within: timedelta = _WITHIN
    _in_work: int = field(default=0, init=False)

    async def answer(self, first: int, last: int) -> Response:
        """Return the answer with the proofs from number ``first`` on, none behind ``last``.

        It has one at least. Where the log ends, the notary does not answer any more, or the time is
        over, it ends behind a proof: who wants the rest asks on from there.
        """
        if not 0 < first <= last < first + MOST_PROOFS:
            raise MalformedError(f"first and last do not span 1 to {MOST_PROOFS} numbers")
        if self._in_work >= _AT_A_TIME:
            raise OverloadedError
        self._in_work += 1
        try:
            # Before the answer begins: that there is no such proof is told by its status.
            found = await self.notary.proofs_from(first, last=last)
        except BaseException:
            self._done()
            raise
        return _Lines(self._lines(found, first, last), within=self.within, done=self._done)

    async def _lines(self, found: list[bytes], first: int, last: int) -> AsyncIterator[bytes]:
        while True:
            first += len(found)
            yield b"\n".join((*found, b""))
            if first > last:
                return
            try:
                found = await self.notary.proofs_from(first, last=last)
            except ProofUnknownError:
                # The log ends here, for now.
                return

    def _done(self) -> None:
        self._in_work -= 1


class _Lines(StreamingResponse):
    """Lines that are sent within a time."""

    def __init__(
        self, lines: AsyncIterator[bytes], *, within: timedelta, done: Callable[[], None]
    ) -> None:
        super().__init__(lines, media_type=NDJSON)
        self._lines, self._within, self._done = lines, within, done

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the lines there are within the time, and no half of one."""
        start = {"status": self.status_code, "headers": self.raw_headers}
        try:
            async with asyncio.timeout(self._within.total_seconds()):
                await send({"type": "http.response.start", **start})
                async for chunk in self._lines:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except AdytonError as error:
            record_of(scope).code = error.code
        except TimeoutError:
            # Whoever reads this slowly must not keep others from reading.
            record_of(scope).code = CallerGoneError.code
        finally:
            self._done()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
