"""``adyton serve``: a gateway here, and beside it a worker and a notary that are kept running."""

import asyncio
import fcntl
import logging
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

import uvloop
from rich.text import Text

from adyton.adapters.lifetime import stopped
from adyton.adapters.platforms import PlatformName
from adyton.cli.development import development_policy, write_whole
from adyton.cli.health import is_healthy, is_listening
from adyton.cli.playing import overrides
from adyton.cli.processes import Child
from adyton.cli.supervisor import Supervisor
from adyton.cli.terminal import console, notes, plain, progress
from adyton.cli.tools import check_tools
from adyton.errors import UnavailableError
from adyton.gateway.logs import configure
from adyton.gateway.server import Gateway, running
from adyton.gateway.settings import GatewaySettings
from adyton.notary.settings import NotarySettings
from adyton.worker.settings import WorkerSettings

__all__ = ["StateTakenError", "run_serve"]

_WORKER: Final = (sys.executable, "-m", "adyton.worker.server")
_NOTARY: Final = (sys.executable, "-m", "adyton.notary.server")
_SANDBOX: Final = (sys.executable, "-m", "adyton.cli", "sandbox", "--port", "0")
_SANDBOX_SECONDS: Final = 30.0
_LOGS: Final = ("worker.log", "notary.log", "sandbox.log")
_POLL_SECONDS: Final = 0.05


class StateTakenError(UnavailableError):
    """Another process serves from the same folder."""

    code = "state-taken"

    def __init__(self, *, state: Path) -> None:
        super().__init__(
            f"another adyton serve uses {state}; set ADYTON_STATE_DIR to another folder"
        )


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
    NotarySettings.from_environ(environ)
    check_tools(environ)
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(settings.state):
        for name in _LOGS:
            # What a process said in an earlier life is no reason for its end in this one.
            (settings.state / name).write_bytes(b"")
        await _serve_alone(environ, settings.state, stop, sandbox=sandbox)


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Keep another ``adyton serve`` out of the same folder, for as long as the block runs."""
    with (state / "serve.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StateTakenError(state=state) from error
        yield


async def _serve_alone(
    environ: Mapping[str, str], state: Path, stop: asyncio.Event, *, sandbox: bool
) -> None:
    async with _sandbox(state, environ, wanted=sandbox) as complete:
        settings = WorkerSettings.from_environ(complete)
        policy = await asyncio.to_thread(_write_policy, settings)
        # They have no business with the database, nor has what might take one of them over.
        theirs = {name: value for name, value in complete.items() if name != "DATABASE_URL"}
        supervisors = [
            Supervisor(command, environ=theirs, log=settings.state / f"{name}.log", name=name)
            for name, command in (("worker", _WORKER), ("notary", _NOTARY))
        ]
        try:
            for supervisor in supervisors:
                supervisor.start()
            # Whoever develops registers workers under the same root.
            named = {} if policy is None else {"ADYTON_REGISTRY_POLICY": str(policy)}
            await _run({**named, **complete}, supervisors, stop, settings, policy)
        finally:
            await asyncio.gather(*(supervisor.stop() for supervisor in supervisors))


async def _run(
    environ: Mapping[str, str],
    supervisors: Sequence[Supervisor],
    stop: asyncio.Event,
    settings: WorkerSettings,
    policy: Path | None,
) -> None:
    # Closed before worker and notary end: requests in work are still answered.
    async with running(GatewaySettings.from_environ(environ)) as served:
        keeping = [asyncio.create_task(supervisor.keep()) for supervisor in supervisors]
        stopping = asyncio.create_task(stop.wait())
        explaining = asyncio.create_task(_explain(served, settings, policy, environ))
        ends = {*keeping, stopping, served.task}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in (*keeping, stopping, explaining):
            task.cancel()
        # What ended by an error raises it here; what was cancelled is what we wanted.
        for task in keeping:
            with suppress(asyncio.CancelledError):
                await task
        notes().print(plain("\nending; what is in work is finished first", "dim"))


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


def _write_policy(settings: WorkerSettings) -> Path | None:
    if settings.platform is not PlatformName.INSECURE:
        return None
    path = settings.state / "policy.yaml"
    write_whole(path, development_policy(settings.state, added_roots=settings.added_roots))
    return path


async def _explain(
    served: Gateway, settings: WorkerSettings, policy: Path | None, environ: Mapping[str, str]
) -> None:
    """Say where everything is, once all of it is ready."""
    tls = bool(environ.get("ADYTON_TLS_CERTIFICATE"))
    notary = NotarySettings.from_environ(environ).link
    with progress("starting the worker and the notary"):

        def ready() -> bool:
            # The sockets come first: until then, asking would only fill the log.
            return (
                settings.link.exists()
                and is_listening(notary)
                and is_healthy(served.port, host=served.host, tls=tls)
            )

        while not await asyncio.to_thread(ready):  # noqa: ASYNC110  # nobody tells when
            await asyncio.sleep(_POLL_SECONDS)
    out = console()
    url = f"{'https' if tls else 'http'}://{served.host}:{served.port}"
    rows = {
        "adyton": f"{url}   (API page: /docs, health: /v1/health)",
        "state": str(settings.state),
        "make a key": "adyton keys create --name NAME --out key.txt",
        "ask": "adyton ask balance --gte 10000 --token-file FILE --api-key-file key.txt",
    }
    if policy is not None:
        rows["policy"] = f"{policy}, for this worker"
    for name, value in rows.items():
        # As one line each, whatever the width: some are to be copied.
        out.print(Text(f"{name:<12}", style="dim").append_text(plain(value)), soft_wrap=True)
    if settings.platform is PlatformName.INSECURE:
        text = (
            "\nINSECURE PLATFORM: no hardware vouches for this worker. Whoever runs this machine"
            " can read every credential. For development only: verifiers refuse it unless their"
            " policy names its root.\n"
        )
        out.print(plain(text, "bold red"))
    out.print(plain("Ctrl+C ends it", "dim"))
