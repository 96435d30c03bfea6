"""A gateway and a notary as processes, without worker and sandbox: what committing takes."""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import httpx

from adyton.adapters.store.administration import create_key
from adyton.adapters.store.records import Scope
from adyton.cli.processes import Child

COMMANDS = {
    "gateway": (sys.executable, "-m", "adyton.cli", "gateway"),
    "notary": (sys.executable, "-m", "adyton.notary.server"),
}


class NotarizedGateway:
    """For ``with``. Each process may be killed and started again."""

    def __init__(self, **environ: str) -> None:
        self.state = Path(tempfile.mkdtemp(prefix="adyton-"))
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("ADYTON_") and name != "DATABASE_URL"
        }
        self.environ = {
            **kept,
            "ADYTON_STATE_DIR": str(self.state),
            "ADYTON_PORT": "0",
            **environ,
        }
        self.children: dict[str, Child] = {}
        self.url = ""
        self.key = ""

    def __enter__(self) -> Self:
        try:
            url = self.environ.get("DATABASE_URL", f"sqlite:///{self.state / 'adyton.db'}")
            made = create_key(url, name="tests", scopes=list(Scope), now=datetime.now(UTC))
            self.key = asyncio.run(made).text
            self.start("notary")
            self.start("gateway")
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        for child in self.children.values():
            child.stop()
        shutil.rmtree(self.state, ignore_errors=True)

    def start(
        self,
        name: str,
        environ: Mapping[str, str] | None = None,
        *,
        command: Sequence[str] | None = None,
    ) -> Child:
        """Start a process; the gateway keeps its port from its first start on."""
        child = Child(
            name,
            command or COMMANDS[name],
            environ={**self.environ, **(environ or {})},
            log=self.log(name),
            notify=name == "gateway",
        )
        self.children[name] = child
        if name == "gateway":
            port = child.announced(deadline=time.monotonic() + 30)["port"]
            self.url = f"http://127.0.0.1:{port}"
            self.environ["ADYTON_PORT"] = str(port)
        return child

    def kill(self, name: str) -> None:
        """End a process as a crash would."""
        self.children[name].kill()

    def log(self, name: str) -> Path:
        return self.state / f"{name}.log"

    def wait(self, seconds: float = 30) -> None:
        """Return when the notary answers through the gateway."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.url}/key", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            for child in self.children.values():
                child.check_alive()
            time.sleep(0.02)
        raise TimeoutError(self.log("notary").read_text()[-2000:])

    def client(self, **options: Any) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, **options)
