"""The time stamps that are kept of this notary's log, and of no other log that was here before."""

import asyncio
from dataclasses import dataclass

from adyton.adapters.stamps import Stamp, StampFolder
from adyton.crypto.hashing import sha256
from adyton.gateway.notary.client import Notary

__all__ = ["Stamps"]


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
