"""A whole Adyton on this machine for a while: sandbox, worker and gateway, each as its own process.

The demonstration, the tests and the measurements use it; ``adyton serve`` does not. The data
sources are the sandbox's, the platform is ``insecure``, and everything is in a temporary folder
that is removed at the end. Settings of the caller's own installation do not leak in, but for where
its tools and its reference string are.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from adyton.adapters.environment import read_socket
from adyton.appraisal.policy import Policy
from adyton.cli.development import development_policy, write_whole
from adyton.cli.health import is_healthy
from adyton.cli.playing import overrides
from adyton.cli.processes import Child, ProcessEndedError
from adyton.errors import AdytonError
from adyton.model.isolation import Isolation

__all__ = ["LocalStack"]

_START_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.01
_TOOLS: Final = frozenset({"ADYTON_BB", "ADYTON_ACVM", "ADYTON_CACHE"})
_COMMAND: Final = (sys.executable, "-m", "adyton.cli")
_COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "worker": (sys.executable, "-m", "adyton.worker.server"),
    "gateway": (*_COMMAND, "gateway"),
    "notary": (sys.executable, "-m", "adyton.notary.server"),
}


class LocalStack:
    """Sandbox, worker and gateway, for ``with`` or ``async with``.

    ``environ`` holds settings of worker and gateway by name (``ADYTON_BUDGET="3"``); with
    ``notary`` there is one as well. Once started there are ``url``, ``api_key`` (with every scope),
    ``policy`` (it accepts this stack's worker and wants nonces compared), ``pids`` by name, and
    ``state``: the folder with every file that there is, logs and database included.
    """

    def __init__(
        self,
        *,
        isolation: Isolation | str = Isolation.REQUEST,
        notary: bool = False,
        **environ: str,
    ) -> None:
        self._has_notary = notary
        self.state = Path()
        self.api_key = ""
        self._given = {"ADYTON_ISOLATION": Isolation(isolation).value, **environ}
        self._environ: Mapping[str, str] = {}
        self._children: dict[str, Child] = {}
        self._ports: dict[str, int] = {}
        self._policy: Policy | None = None

    @property
    def url(self) -> str:
        """Where the gateway serves."""
        return f"http://127.0.0.1:{self._ports['gateway']}"

    @property
    def sandbox_port(self) -> int:
        """Where every data source is played, over TLS."""
        return self._ports["sandbox"]

    @property
    def policy(self) -> Policy:
        """What accepts this stack's worker; ``policy.yaml`` in ``state`` is the same."""
        if self._policy is None:
            raise RuntimeError("the stack has not been started")
        return self._policy

    @property
    def pids(self) -> Mapping[str, int]:
        """The process ids of ``sandbox``, ``worker`` and ``gateway``."""
        return {name: child.pid for name, child in self._children.items()}

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment of worker and gateway, for commands about this stack."""
        return self._environ

    def log(self, name: str) -> Path:
        """Return the file with everything that a process wrote."""
        return self.state / f"{name}.log"

    def start(self) -> None:
        """Start everything; it can answer when this returns. Raises ``ProcessEndedError``."""
        # A short path: a unix socket's has at most 107 bytes.
        self.state = Path(tempfile.mkdtemp(prefix="adyton-"))
        deadline = time.monotonic() + _START_SECONDS
        try:
            # A thread of its own, for a loop of its own, and because all of this takes a while.
            with ThreadPoolExecutor(1) as threads:
                self._begin_sandbox()
                key = threads.submit(self._create_key)
                authority = self._finish_sandbox(deadline)
                self._start("worker")
                self._start("gateway", notify=True)
                if self._has_notary:
                    self._start("notary")
                text = development_policy(self.state, added_roots=authority)
                write_whole(self.state / "policy.yaml", text)
                self._policy = Policy.from_bytes(text.encode())
                found = self._children["gateway"].announced(deadline=deadline)
                self._ports["gateway"] = found["port"]
                self.api_key = key.result()
            self._wait_for_worker(deadline)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything, the last one started first, and remove the folder."""
        for name in reversed(self._children):
            self._children[name].stop()
        self._children.clear()
        shutil.rmtree(self.state, ignore_errors=True)

    def restart_worker(self, *, crash: bool = False) -> None:
        """End the worker, as a crash would with ``crash``, and start another: it has other keys."""
        worker = self._children["worker"]
        worker.kill() if crash else worker.stop()
        self._start("worker")
        self._wait_for_worker(time.monotonic() + _START_SECONDS)

    def restart_gateway(self, *, crash: bool = False) -> None:
        """End the gateway, as a crash would with ``crash``, and start another, at another port."""
        gateway = self._children["gateway"]
        gateway.kill() if crash else gateway.stop()
        self._start("gateway", notify=True)
        deadline = time.monotonic() + _START_SECONDS
        self._ports["gateway"] = self._children["gateway"].announced(deadline=deadline)["port"]
        self._wait_for_worker(deadline)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        # A future, not a task: a loop that closes cancels its tasks, and a thread goes on.
        starting = asyncio.get_running_loop().run_in_executor(None, self.start)
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            # What it has started is ours to end.
            with suppress(AdytonError):
                await starting
            await asyncio.to_thread(self.stop)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _start(self, name: str, *, notify: bool = False) -> None:
        self._children[name] = Child(
            name, _COMMANDS[name], environ=self._environ, log=self.log(name), notify=notify
        )

    @property
    def _authority(self) -> Path:
        return self.state / "sandbox-ca.pem"

    def _begin_sandbox(self) -> None:
        self._children["sandbox"] = Child(
            "sandbox",
            (*_COMMAND, "sandbox", "--port", "0", "--ca-out", str(self._authority)),
            environ=_foreign(),
            log=self.log("sandbox"),
            notify=True,
        )

    def _finish_sandbox(self, deadline: float) -> Path:
        """Return where the sandbox's authority is, once it serves; now settings are known."""
        found = self._children["sandbox"].announced(deadline=deadline)
        self._ports["sandbox"] = found["port"]
        self._environ = {
            **_foreign(),
            "ADYTON_STATE_DIR": str(self.state),
            "ADYTON_PORT": "0",
            "ADYTON_ADDED_ROOTS": str(self._authority),
            "ADYTON_EGRESS_ALLOW": ",".join(found["hosts"]),
            "ADYTON_EGRESS_OVERRIDE": overrides(found["hosts"], found["port"]),
            **self._given,
        }
        return self._authority

    def _create_key(self) -> str:
        # Here, and not above: it loads a database library while other processes start.
        from adyton.adapters.store.administration import create_key  # noqa: PLC0415
        from adyton.adapters.store.records import Scope  # noqa: PLC0415

        url = self._given.get("DATABASE_URL", f"sqlite:///{self.state / 'adyton.db'}")
        made = create_key(url, name="local", scopes=list(Scope), now=datetime.now(UTC))
        return asyncio.run(made).text

    def _wait_for_worker(self, deadline: float) -> None:
        # Its socket comes first: until then, asking would only keep the processes from starting.
        link = read_socket(self._environ, "ADYTON_WORKER_SOCKET", self.state / "worker.sock")
        while not (link.exists() and is_healthy(self._ports["gateway"])):
            for child in self._children.values():
                child.check_alive()
            if time.monotonic() > deadline:
                raise ProcessEndedError(name="worker", reason="it was not ready in time")
            time.sleep(_POLL_SECONDS)


def _foreign() -> dict[str, str]:
    """Return the caller's environment without the settings of an installation of its own."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _TOOLS or not (name.startswith("ADYTON_") or name == "DATABASE_URL")
    }
