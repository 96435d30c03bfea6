"""``adyton doctor``: what this machine has, what is missing, and how to get it."""

import importlib.util
import os
import platform
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import certifi
from rich.text import Text

from adyton.adapters.environment import read_socket, state_folder
from adyton.adapters.installation import (
    KNOWN_BB_SHA256,
    Installation,
    file_sha256,
    find_installation,
    private_folder,
)
from adyton.adapters.library import load_circuits, load_providers
from adyton.adapters.nsm import DEVICE
from adyton.adapters.reference_string import find_reference_string, verification_string
from adyton.cli.exits import NO, YES
from adyton.cli.terminal import console, plain, print_json, table
from adyton.errors import AdytonError
from adyton.proofs.circuit import Circuit
from adyton.worker.proving import circuit_gates

__all__ = ["Check", "State", "examine", "run_doctor"]

_PYTHON: Final = (3, 11)
_VERSION_SECONDS: Final = 10


class State(StrEnum):
    """What was found. ``MISSING`` keeps something from working; ``ABSENT`` is not needed here."""

    OK = "ok"
    ABSENT = "absent"
    MISSING = "missing"


_STYLES: Final = {State.OK: "green", State.ABSENT: "yellow", State.MISSING: "bold red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at; ``how`` says how to get it where it is not there."""

    name: str
    state: State
    found: str
    how: str = ""


def run_doctor(*, as_json: bool) -> int:
    """Print every check; 1 where something is missing."""
    checks = tuple(examine(os.environ, home=Path.home()))
    missing = [check for check in checks if check.state is State.MISSING]
    if as_json:
        items = [
            {"name": c.name, "state": c.state.value, "found": c.found, "how": c.how} for c in checks
        ]
        print_json({"ok": not missing, "checks": items})
    else:
        _show(checks, missing=len(missing))
    return NO if missing else YES


def examine(environ: Mapping[str, str], *, home: Path) -> Iterator[Check]:
    """Yield what is found, in the order in which one thing needs another."""
    installation = find_installation(environ, home=home)
    circuits = _circuits(installation)
    yield _python()
    yield _prover(installation)
    yield _solver(installation)
    yield _library(installation, circuits)
    yield _reference(environ, home, circuits)
    yield _cache(installation)
    yield _state(environ)
    yield _database(environ)
    yield _roots()
    yield _platform()


def _show(checks: tuple[Check, ...], *, missing: int) -> None:
    made = table("", "", "")
    made.show_header = False
    for check in checks:
        text = plain(check.found)
        if check.how:
            text = text.append("\n").append_text(plain(check.how, "dim"))
        made.add_row(Text(check.name), Text(check.state.value, style=_STYLES[check.state]), text)
    out = console()
    out.print(made)
    out.print()
    if missing:
        out.print(Text(f"{missing} missing", style="bold red"))
    else:
        out.print(Text("this machine can ask, prove and verify", style="bold green"))


def _python() -> Check:
    found = f"{platform.python_version()} ({sys.executable})"
    if sys.version_info < _PYTHON:
        return Check(name="python", state=State.MISSING, found=found, how="install 3.11 or newer")
    return Check(name="python", state=State.OK, found=found)


def _prover(installation: Installation) -> Check:
    name = "prover (bb)"
    path = installation.bb
    if path is None or not path.is_file():
        how = "run npm ci in the checkout, or set ADYTON_BB to the path of bb 5.0.0"
        return Check(name=name, state=State.MISSING, found="nothing proves or verifies", how=how)
    version = _version(path)
    if version is None:
        how = f"is it for another machine than {platform.machine()} {sys.platform}? run npm ci"
        return Check(name=name, state=State.MISSING, found=f"{path} does not run", how=how)
    digest = file_sha256(path)
    if digest not in KNOWN_BB_SHA256:
        how = "it may work; the one that package-lock.json fixes comes with npm ci"
        found = f"{version}, another build than ours (SHA-256 {digest[:16]}…)"
        return Check(name=name, state=State.ABSENT, found=found, how=how)
    return Check(name=name, state=State.OK, found=f"{version}, SHA-256 {digest[:16]}…, as pinned")


def _version(path: Path) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  # the operator's own path
            [path, "--version"],
            capture_output=True,
            check=True,
            timeout=_VERSION_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace").strip()[:64] or "unknown version"


def _solver(installation: Installation) -> Check:
    name = "witness solver"
    path = installation.solver
    if path is None or not path.is_file():
        how = "run npm ci, or set ADYTON_ACVM to acvm_js_bg.wasm of 1.0.0-beta.26"
        return Check(name=name, state=State.MISSING, found="nothing can be proven", how=how)
    digest = file_sha256(path)
    return Check(name=name, state=State.OK, found=f"{path.name}, SHA-256 {digest[:16]}…")


def _circuits(installation: Installation) -> Mapping[str, Circuit] | AdytonError:
    try:
        return load_circuits(installation.circuits)
    except AdytonError as error:
        return error


def _library(installation: Installation, circuits: Mapping[str, Circuit] | AdytonError) -> Check:
    name = "circuits, providers"
    if isinstance(circuits, AdytonError):
        return Check(
            name=name, state=State.MISSING, found=str(circuits), how="install adyton again"
        )
    try:
        providers = load_providers([installation.providers])
    except AdytonError as error:
        return Check(name=name, state=State.MISSING, found=str(error), how="install adyton again")
    return Check(name=name, state=State.OK, found=f"{len(circuits)} and {len(providers)}")


def _reference(
    environ: Mapping[str, str], home: Path, circuits: Mapping[str, Circuit] | AdytonError
) -> Check:
    name = "reference string"
    found = find_reference_string(environ, home=home)
    known = {} if isinstance(circuits, AdytonError) else circuits
    sizes = {name: circuit_gates(circuit) for name, circuit in known.items()}
    beyond = sorted(circuit for circuit, points in sizes.items() if points > found.points)
    text = f"{found.points:,} points in {found.folder}"
    if not beyond:
        return Check(name=name, state=State.OK, found=f"{text}: all circuits can be proven")
    wanted = max(sizes.values())
    how = (
        f"set CRS_PATH to a folder whose bn254_g1.dat has {wanted:,} points; or start a worker"
        " once with internet access: bb downloads them into ~/.bb-crs. Verifying needs none"
    )
    return Check(
        name=name, state=State.MISSING, found=f"{text}: too few for {', '.join(beyond)}", how=how
    )


def _cache(installation: Installation) -> Check:
    folder = installation.cache
    return _folder(
        "cache folder",
        folder,
        lambda: str(verification_string(folder / "verification").parent),
        "set ADYTON_CACHE to a folder of your own",
    )


def _state(environ: Mapping[str, str]) -> Check:
    def usable() -> str:
        folder = state_folder(environ)
        read_socket(environ, "ADYTON_WORKER_SOCKET", folder / "worker.sock")
        read_socket(environ, "ADYTON_EGRESS_SOCKET", folder / "egress.sock")
        if not folder.exists():
            return f"{folder}, made at the first start"
        if private_folder(folder) is None:
            raise PermissionError
        mode = stat.S_IMODE(folder.stat().st_mode)
        return f"{folder}, mode {mode:o}"

    how = "set ADYTON_STATE_DIR to a folder of your own with a short path; chmod it to 700"
    return _folder("state folder", None, usable, how)


def _folder(name: str, folder: Path | None, usable: Callable[[], str], how: str) -> Check:
    try:
        return Check(name=name, state=State.OK, found=usable())
    except AdytonError as error:
        return Check(name=name, state=State.MISSING, found=str(error), how=how)
    except OSError as error:
        reason = error.strerror or "it cannot be written to"
        return Check(name=name, state=State.MISSING, found=f"{folder or 'it'}: {reason}", how=how)


def _database(environ: Mapping[str, str]) -> Check:
    url = environ.get("DATABASE_URL", "")
    kind = "postgresql" if url.startswith("postgres") else "sqlite"
    driver = {"postgresql": "asyncpg", "sqlite": "aiosqlite"}[kind]
    if importlib.util.find_spec(driver) is None:
        how = f"install {driver}"
        return Check(name="database", state=State.MISSING, found=f"no driver for {kind}", how=how)
    text = "PostgreSQL, by DATABASE_URL" if kind == "postgresql" else "SQLite in the state folder"
    other = "" if kind == "postgresql" else "; PostgreSQL with DATABASE_URL=postgresql://…"
    return Check(name="database", state=State.OK, found=text + other)


def _roots() -> Check:
    # What the worker trusts for data sources: not what this system trusts.
    count = len(ssl.create_default_context(cafile=certifi.where()).get_ca_certs())
    if count:
        text = f"{count} of Mozilla's, from the certifi package"
        return Check(name="TLS roots", state=State.OK, found=text)
    how = "install adyton again: the certifi package is damaged"
    return Check(name="TLS roots", state=State.MISSING, found="no data source is trusted", how=how)


def _platform() -> Check:
    name = "hardware"
    if DEVICE.exists():
        return Check(name=name, state=State.OK, found=f"{DEVICE}: this is a Nitro enclave")
    found = f"no {DEVICE} on {socket.gethostname()}: only the INSECURE platform works here"
    how = "for real evidence, run the worker in an AWS Nitro enclave with ADYTON_PLATFORM=nitro"
    return Check(name=name, state=State.ABSENT, found=found, how=how)
