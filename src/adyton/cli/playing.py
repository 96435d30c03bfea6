"""The sandbox as a process: serves, says how to use it, and ends when told to."""

import asyncio
from pathlib import Path

from adyton.adapters.lifetime import stopped
from adyton.cli.development import write_whole
from adyton.cli.processes import PortTakenError, announce
from adyton.cli.terminal import console, plain, table
from adyton.sandbox import TOKENS, Sandbox
from adyton.sandbox.vendors.example import EXAMPLE

__all__ = ["overrides", "run_sandbox"]


def run_sandbox(*, port: int, authority: Path, notify: int | None) -> None:
    """Serve the sandbox until the process is told to end."""
    asyncio.run(_play(port=port, authority=authority, notify=notify))


async def _play(*, port: int, authority: Path, notify: int | None) -> None:
    stop = stopped()
    sandbox = Sandbox()
    try:
        await sandbox.start(port=port)
    except OSError as error:
        raise PortTakenError(port=port, option="--port", error=error) from error
    try:
        await asyncio.to_thread(write_whole, authority, sandbox.ca_pem)
        announce(notify, port=sandbox.port, hosts=sandbox.hosts)
        if notify is None:
            _explain(sandbox, authority)
        await stop.wait()
    finally:
        await sandbox.stop()


def overrides(hosts: tuple[str, ...], port: int) -> str:
    """Return the gateway's setting that sends ``hosts`` to the sandbox."""
    return ",".join(f"{host}=127.0.0.1:{port}" for host in hosts)


def _explain(sandbox: Sandbox, authority: Path) -> None:
    shown = console()
    shown.print(plain(f"sandbox on 127.0.0.1 port {sandbox.port}, until Ctrl+C", "bold"))
    shown.print(plain("\nfor a worker and a gateway that ask it, in their environment:"))
    # As one line each, whatever the width: they are to be copied.
    shown.print(plain(f"export ADYTON_ADDED_ROOTS={authority.absolute()}"), soft_wrap=True)
    setting = overrides(sandbox.hosts, sandbox.port)
    shown.print(plain(f"export ADYTON_EGRESS_OVERRIDE={setting}"), soft_wrap=True)
    # No built-in provider has this one: it is for questions that bring their own.
    shown.print(plain(f"export ADYTON_EGRESS_ALLOW={EXAMPLE.host}\n"), soft_wrap=True)
    tokens = table("access token", "what the data source then does")
    for token, meaning in TOKENS.items():
        tokens.add_row(token, meaning)
    shown.print(tokens)
