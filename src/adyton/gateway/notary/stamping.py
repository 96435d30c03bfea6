"""Time stamps on checkpoints (RFC 3161): asked of an authority now and then, kept, and shown.

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

from adyton.adapters.stamps import Stamp, StampFolder
from adyton.crypto.hashing import sha256
from adyton.crypto.timestamp import read_timestamp
from adyton.errors import AdytonError
from adyton.gateway.notary.client import Notary
from adyton.gateway.notary.settings import TimeAuthority
from adyton.gateway.ports import Clock
from adyton.ledger.checkpoint import Checkpoint

__all__ = ["Stamper", "Stamps"]

_LONGEST_PAUSE: Final = timedelta(minutes=1)
# Less than none is a clock that was set back, and says nothing.
_NO_TIME: Final = timedelta(0)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """The stamps on the notary's log, whoever asked for them."""

    notary: Notary
    folder: StampFolder

    async def newest(self) -> Stamp | None:
        """Return the stamp on the newest checkpoint that has one."""
        return await asyncio.to_thread(self.folder.newest, await self._log())

    async def covering(self, counter: int) -> Stamp | None:
        """Return the oldest stamp on a checkpoint that covers the proof with this number."""
        return await asyncio.to_thread(self.folder.covering, await self._log(), counter)

    async def add(self, stamp: Stamp) -> None:
        """Keep one more."""
        await asyncio.to_thread(self.folder.add, await self._log(), stamp)

    async def _log(self) -> str:
        # Whatever else is the same: another ledger began with another key.
        return sha256((await self.notary.first_epoch()).to_bytes()).hex()


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
        text = note.decode("utf-8", "replace").partition("\n\n")[0] + "\n"
        if (size := Checkpoint.from_text(text).size) <= self.size:
            return
        # Step 2: else relying parties would find out, long after the time for another one.
        answer = await self.ask(self.authority.url, note)
        read_timestamp(answer, message=note, authorities=self.authority.roots)
        # Step 3
        await self.stamps.add(Stamp(size=size, note=note, answer=answer, kept=self.clock()))
        self.size = size
        self.made += 1
