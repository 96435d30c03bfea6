"""A notary as a process: opens its ledger under a new key, and answers its gateway."""

import asyncio
import contextlib
import fcntl
import gc
import os
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from adyton.adapters.anchors.opening import open_anchor
from adyton.adapters.ledger.archive import Archive
from adyton.adapters.ledger.failure import failing
from adyton.adapters.ledger.journal import FileJournal
from adyton.adapters.ledger.vault import FileVault, development_key
from adyton.adapters.lifetime import as_process, stopped
from adyton.adapters.link_server import serve_link
from adyton.adapters.platforms import PlatformName, open_platform
from adyton.errors import UnavailableError
from adyton.flow.ports import Platform
from adyton.ledger.errors import LedgerEndedError
from adyton.ledger.ledger import Identity, Ledger, Ports
from adyton.notary.checkpoints import Checkpoints
from adyton.notary.committing import Committer
from adyton.notary.identity import describe
from adyton.notary.service import NotaryService
from adyton.notary.settings import NotarySettings

__all__ = ["LedgerTakenError", "running", "serve"]

_SWITCH_SECONDS = 0.0005


class LedgerTakenError(UnavailableError):
    """Another notary runs on the same ledger."""

    code = "ledger-taken"

    def __init__(self, *, path: Path) -> None:
        super().__init__(
            f"another notary runs on the ledger in {path}; end it first: only one may sign"
        )
        self.path = path


async def serve(settings: NotarySettings) -> None:
    """Serve until the process is told to end; raise ``LedgerEndedError`` where the ledger ends."""
    stop = stopped()
    async with running(settings) as committer:
        # What is there now stays: to look for garbage in it would stop every commit, again and
        # again.
        gc.collect()
        gc.freeze()
        ends = {asyncio.create_task(event.wait()) for event in (stop, committer.ended)}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in ends:
            task.cancel()
        if committer.ended.is_set():
            raise committer.failure or LedgerEndedError(reason="what commits has stopped")


@contextlib.asynccontextmanager
async def running(settings: NotarySettings) -> AsyncIterator[Committer]:
    """Yield the committer of a notary that serves on its socket.

    Raises where the ledger cannot go on: every error says why, and what to do.
    """
    with failing("folder"):
        settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.ledger.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_alone(settings.ledger))
        journal = FileJournal(settings.ledger / "journal")
        stack.callback(journal.close)
        anchor = stack.enter_context(
            open_anchor(
                settings.anchors,
                folder=settings.ledger,
                ledger=settings.origin,
                patience=settings.anchor_patience,
            )
        )
        vault = FileVault(settings.ledger / "sealed", key=development_key(settings.ledger))
        platform = open_platform(settings.platform, state=settings.state, clock=_now)
        ports = Ports(journal=journal, anchor=anchor, vault=vault, clock=_now, random=os.urandom)
        ledger = await _open(ports, settings.platform, platform)
        archive = Archive.open(journal, settings.ledger)
        stack.callback(archive.close)
        await asyncio.to_thread(archive.catch_up, ledger.position)
        committer = Committer(ledger, archive, platform)
        checkpoints = Checkpoints(
            ledger, archive, committer, origin=settings.origin, every=settings.checkpoint_every
        )
        service = NotaryService(
            ledger=ledger, archive=archive, committer=committer, checkpoints=checkpoints
        )
        link = await serve_link(settings.link, service.handle)
        try:
            yield committer
        finally:
            await link.close()
            await committer.close()
            await checkpoints.close()


async def _open(ports: Ports, name: PlatformName, platform: Platform) -> Ledger:
    identity = Identity.generate(ports.random)
    described = await describe(identity, name=name, platform=platform)
    return await asyncio.to_thread(
        Ledger.open,
        ports,
        identity,
        enforcement=described.enforcement,
        measurement=described.measurement,
        evidence=(described.format, described.report),
    )


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep another notary away from the same ledger, for as long as the block runs.

    The anchor would refuse it as well, at its first step, or at ours.
    """
    with failing("lock"):
        file = (folder / "lock").open("w")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LedgerTakenError(path=folder) from error
        yield


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    """Run a notary with the settings in the environment."""
    # The thread that reads the journal again gives way at once, and not after five milliseconds.
    sys.setswitchinterval(_SWITCH_SECONDS)
    uvloop.run(serve(NotarySettings.from_environ(os.environ)))


if __name__ == "__main__":
    as_process(main)
