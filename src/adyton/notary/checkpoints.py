"""Checkpoints: what was settled is read again from the disk, indexed, sealed, and signed for.

A checkpoint says of a size and a root that the log had them. Both come from the journal as it is on
the disk (``Ledger.follow``), never from what this process remembers having written.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from adyton.adapters.ledger.archive import Archive
from adyton.errors import AdytonError
from adyton.ledger.checkpoint import Checkpoint, NoteKey, sign_checkpoint
from adyton.ledger.ledger import Ledger
from adyton.notary.committing import Committer

__all__ = ["Checkpoints", "SignedCheckpoint"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint, and the note that it is signed in."""

    checkpoint: Checkpoint
    note: bytes


class Checkpoints:
    """Makes a checkpoint whenever there is something new, and at most every ``every``."""

    def __init__(
        self,
        ledger: Ledger,
        archive: Archive,
        committer: Committer,
        *,
        origin: str,
        every: timedelta,
    ) -> None:
        self._ledger, self._archive, self._committer = ledger, archive, committer
        self._key = NoteKey(name=origin, public_key=ledger.epoch.public_key)
        self._every = every
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="follow")
        self._lock = asyncio.Lock()
        self._latest = self._signed()
        self._task = asyncio.create_task(self._run(), name="checkpoints")

    @property
    def latest(self) -> SignedCheckpoint:
        """The last checkpoint."""
        return self._latest

    async def catch_up(self) -> SignedCheckpoint:
        """Return a checkpoint over everything that is settled now; raise where the ledger ended."""
        wanted = self._ledger.head.counter
        async with self._lock:
            if self._latest.checkpoint.size < wanted:
                loop = asyncio.get_running_loop()
                try:
                    self._latest = await loop.run_in_executor(self._thread, self._advance)
                except Exception as error:
                    # Nobody may be told of a log that the disk does not have.
                    self._ledger.end(error)
                    self._committer.ended.set()
                    raise
                self._committer.forget(self._latest.checkpoint.size)
        return self._latest

    async def close(self) -> None:
        """Make the last checkpoint, and stop."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        try:
            await self.catch_up()
        except AdytonError as error:
            _log.warning("checkpoint-failed", extra={"code": error.code})
        self._thread.shutdown()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every.total_seconds())
            try:
                await self.catch_up()
            except AdytonError as error:
                _log.error("checkpoint-failed", extra={"code": error.code, "reason": str(error)})
                return

    def _advance(self) -> SignedCheckpoint:
        self._archive.add(self._ledger.follow())
        self._ledger.seal()
        return self._signed()

    def _signed(self) -> SignedCheckpoint:
        position = self._ledger.position
        checkpoint = Checkpoint(
            origin=self._key.name, size=position.head.counter, root=position.root()
        )
        note = sign_checkpoint(checkpoint, key=self._key, sign=self._ledger.sign)
        return SignedCheckpoint(checkpoint=checkpoint, note=note)
