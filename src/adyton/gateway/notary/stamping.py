"""Time stamps on checkpoints (RFC 3161): asked of an authority now and then, and kept.

A checkpoint says which proofs there were, and a stamp on it bounds from above when. An authority
that is away, or answers something else, changes nothing in the log: that is counted, and another
try is made later.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from adyton.adapters.stamps import Stamp
from adyton.crypto.timestamp import read_timestamp
from adyton.errors import AdytonError
from adyton.gateway.notary.settings import TimeAuthority
from adyton.gateway.notary.stamps import Stamps
from adyton.ledger.checkpoint import unverified_checkpoint
from adyton.model.ports import Clock

__all__ = ["Stamper"]

_LONGEST_PAUSE: Final = timedelta(minutes=1)
# Less than none is a clock that was set back, and says nothing.
_NO_TIME: Final = timedelta(0)

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Stamper:
    """Has checkpoints stamped; counts how often it was, and how often it was not."""

    stamps: Stamps
    authority: TimeAuthority
    ask: Callable[[str, bytes], Awaitable[bytes]]
    clock: Clock
    made: int = field(default=0, init=False)
    failed: int = field(default=0, init=False)
    size: int = field(default=0, init=False)

    async def keep(self) -> None:
        """Look now and then whether there is something to stamp, for ever."""
        pause = min(self.authority.every, _LONGEST_PAUSE)
        while True:
            await asyncio.sleep(pause.total_seconds())
            try:
                await self.look()
            except AdytonError as error:
                self.failed += 1
                _log.warning("stamp-failed", extra={"code": error.code, "reason": str(error)})

    async def look(self) -> None:
        """Have the newest checkpoint stamped, where that is due.

        1. the last stamp, also one from before this process, is old enough, and the log has grown;
        2. the authority answers, and its stamp is over this checkpoint, under the accepted roots;
        3. it is kept, durably, before anybody is shown it.
        """
        # Step 1
        last = await self.stamps.newest()
        self.size = 0 if last is None else last.size
        if last is not None and _NO_TIME <= self.clock() - last.kept < self.authority.every:
            return
        note = await self.stamps.notary.checkpoint()
        if (size := unverified_checkpoint(note).size) <= self.size:
            return
        # Step 2: else relying parties would find out, long after the time for another one.
        answer = await self.ask(self.authority.url, note)
        read_timestamp(answer, message=note, authorities=self.authority.roots)
        # Step 3
        await self.stamps.add(Stamp(size=size, note=note, answer=answer, kept=self.clock()))
        self.size = size
        self.made += 1
