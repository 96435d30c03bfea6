"""``adyton serve``: a gateway in this process, and a worker beside it that is kept running."""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

import uvloop
from rich.text import Text

from adyton.adapters.installation import find_installation
from adyton.cli.development import development_policy, write_whole
from adyton.cli.playing import overrides
from adyton.cli.processes import Child, ProcessEndedError, stopped
from adyton.cli.running import gateway
from adyton.cli.terminal import console, plain, table
from adyton.gateway.logs import configure
from adyton.gateway.settings import GatewaySettings
from adyton.worker.settings import PlatformName, WorkerSettings

__all__ = ["Supervisor", "run_serve"]

_WORKER: Final = (sys.executable, "-m", "adyton.worker.server")
_SANDBOX: Final = (sys.executable, "-m", "adyton.cli", "sandbox", "--port", "0")
_SANDBOX_SECONDS: Final = 30.0
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 10.0

_log = logging.getLogger(__name__)


class Supervisor:
    """Keeps a worker running: starts it again when it ends, later each time it ends soon.

    One that ran for ``well`` was well: its end is a new trouble, not the same one again.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environ: Mapping[str, str],
        log: Path,
        well: timedelta = timedelta(seconds=30),
    ) -> None:
        self._command, self._environ, self._log, self._well = command, environ, log, well
        self._child: Child | None = None
        self.starts = 0

    @property
    def pid(self) -> int:
        """The process id of the worker that runs now."""
        if self._child is None:
            raise RuntimeError("the worker has not been started")
        return self._child.pid

    def start(self) -> None:
        """Start a worker; what it writes is in the log."""
        # In a group of its own: Ctrl+C is for us, and we end it when nobody needs it any more.
        self._child = Child(
            "worker", self._command, environ=self._environ, log=self._log, own_group=True
        )
        self.starts += 1

    async def keep(self) -> None:
        """Keep the worker running until cancelled.

        Raises ``ProcessEndedError`` where the very first one ended soon: it has never worked, and
        most likely never will.
        """
        pause = _FIRST_PAUSE
        while self._child is not None:
            started = time.monotonic()
            reason = await asyncio.to_thread(self._child.wait)
            was_well = time.monotonic() - started >= self._well.total_seconds()
            if self.starts == 1 and not was_well:
                raise ProcessEndedError(name="worker", reason=f"{reason}; see {self._log}")
            pause = _FIRST_PAUSE if was_well else min(2 * pause, _LONGEST_PAUSE)
            _log.warning("worker-ended", extra={"reason": reason, "again_in_seconds": pause})
            await asyncio.sleep(pause)
            self.start()

    async def stop(self) -> None:
        """End the worker."""
        if (child := self._child) is not None:
            self._child = None
            await asyncio.to_thread(child.stop)


def run_serve(environ: Mapping[str, str], *, sandbox: bool, verbose: bool) -> None:
    """Serve until the process is told to end."""
    configure()
    if sys.stderr.isatty() and not verbose:
        # People see what is wrong; a collector of logs gets everything.
        logging.getLogger("adyton").setLevel(logging.WARNING)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(environ, sandbox=sandbox))


async def _serve(environ: Mapping[str, str], *, sandbox: bool) -> None:
    stop = stopped()
    # Settings that are wrong stop the start, before anything is started.
    settings = WorkerSettings.from_environ(environ)
    GatewaySettings.from_environ(environ)
    _check_tools(environ)
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with _sandbox(settings.state, environ, wanted=sandbox) as complete:
        settings = WorkerSettings.from_environ(complete)
        policy = await asyncio.to_thread(_write_policy, settings)
        supervisor = Supervisor(_WORKER, environ=complete, log=settings.state / "worker.log")
        supervisor.start()
        try:
            await _run(complete, supervisor, stop, settings, policy)
        finally:
            await supervisor.stop()


async def _run(
    environ: Mapping[str, str],
    supervisor: Supervisor,
    stop: asyncio.Event,
    settings: WorkerSettings,
    policy: Path | None,
) -> None:
    # Closed before the worker ends: requests in work are still answered.
    async with gateway(environ) as served:
        _explain(f"http://{served.host}:{served.port}", settings, policy, environ)
        keeping = asyncio.create_task(supervisor.keep())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({keeping, stopping, served.task}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if keeping.done():
            keeping.result()
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


@asynccontextmanager
async def _sandbox(
    state: Path, environ: Mapping[str, str], *, wanted: bool
) -> AsyncIterator[Mapping[str, str]]:
    """Yield the settings, with those for a sandbox that runs meanwhile where one is wanted."""
    if not wanted:
        yield environ
        return
    authority = state / "sandbox-ca.pem"
    child = Child(
        "sandbox",
        (*_SANDBOX, "--ca-out", str(authority)),
        environ=environ,
        log=state / "sandbox.log",
        notify=True,
        own_group=True,
    )
    try:
        deadline = time.monotonic() + _SANDBOX_SECONDS
        found = await asyncio.to_thread(child.announced, deadline=deadline)
        yield {
            **environ,
            "ADYTON_ADDED_ROOTS": str(authority),
            "ADYTON_EGRESS_ALLOW": ",".join(found["hosts"]),
            "ADYTON_EGRESS_OVERRIDE": overrides(found["hosts"], found["port"]),
        }
    finally:
        await asyncio.to_thread(child.stop)


def _check_tools(environ: Mapping[str, str]) -> None:
    installation = find_installation(environ, home=Path.home())
    installation.require_bb()
    installation.require_solver()


def _write_policy(settings: WorkerSettings) -> Path | None:
    if settings.platform is not PlatformName.INSECURE:
        return None
    path = settings.state / "policy.yaml"
    write_whole(path, development_policy(settings.state, added_roots=settings.added_roots))
    return path


def _explain(
    url: str, settings: WorkerSettings, policy: Path | None, environ: Mapping[str, str]
) -> None:
    scheme = "https" if environ.get("ADYTON_TLS_CERTIFICATE") else "http"
    out = console()
    rows = {
        "adyton": f"{scheme}{url.removeprefix('http')}   (API page: /docs, health: /v1/health)",
        "state": str(settings.state),
        "make a key": "adyton keys create --name NAME > key.txt",
        "ask": "adyton ask balance --gte 10000 --token-file FILE --api-key-file key.txt",
    }
    if policy is not None:
        rows["policy"] = f"{policy}, for this worker"
    made = table("", "")
    made.show_header = False
    for name, value in rows.items():
        made.add_row(Text(name, style="dim"), plain(value))
    out.print(made)
    if settings.platform is PlatformName.INSECURE:
        text = (
            "\nINSECURE PLATFORM: no hardware vouches for this worker. Whoever runs this machine"
            " can read every credential. For development only: verifiers refuse it unless their"
            " policy names its root.\n"
        )
        out.print(plain(text, "bold red"))
    out.print(plain("Ctrl+C ends it", "dim"))
