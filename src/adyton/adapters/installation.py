"""Where this installation keeps what is not Python: the prover, the witness solver, our data.

A checkout has them in ``node_modules`` (put there by ``npm ci``) and in its own folders; a wheel
carries circuits and providers, and is told where the rest is. Nothing is read from here but
digests; whoever uses a file checks what is in it.
"""

import hashlib
import os
import platform
import shutil
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from adyton.errors import UnavailableError

__all__ = [
    "KNOWN_BB_SHA256",
    "FolderNotPrivateError",
    "Installation",
    "ProverMissingError",
    "file_sha256",
    "find_installation",
    "private_folder",
]

# build/<processor>-<system>/bb of @aztec/bb.js 5.0.0, as package-lock.json fixes the package.
KNOWN_BB_SHA256: Final = frozenset(
    {
        "c3a4a1125d99953694ab6a7f09e368db5525c368b372e63c3eb7bda4cc5697d5",  # amd64-linux
        "fbe47d7697bf3f0891d844eba58c5d1fcb1c85d5024fe0ad50e1bb132237611f",  # arm64-linux
        "c2d4da29f736cbfc9b899d548cd3a702a1f65fce907c0b369db2d9266e52a851",  # amd64-macos
        "fe63e7fce08bd8368773ab7bc956f3aae618cb3cb05a9b5b8db71a92553511be",  # arm64-macos
    }
)

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_CHECKOUT: Final = _PACKAGE.parents[1]
_PROCESSORS: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_SYSTEMS: Final = {"linux": "linux", "darwin": "macos"}


class ProverMissingError(UnavailableError):
    """A program that proving or verifying needs is not on this machine."""

    code = "prover-missing"

    def __init__(self, *, what: str, setting: str) -> None:
        super().__init__(f"{what} is not installed; run npm ci, or set {setting} to its path")
        self.what, self.setting = what, setting


class FolderNotPrivateError(UnavailableError):
    """Somebody else could change what this process keeps in a folder and believes."""

    code = "folder-not-private"

    def __init__(self, *, path: Path) -> None:
        super().__init__(f"the folder {path} is not private to this user; chmod it to 700")
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What was found, and ``None`` for what was not: verifying needs no witness solver."""

    bb: Path | None
    solver: Path | None
    circuits: Path
    providers: Path
    cache: Path

    def require_bb(self) -> Path:
        """Return the prover, or raise ``ProverMissingError``."""
        if self.bb is None:
            raise ProverMissingError(what="Barretenberg's prover bb", setting="ADYTON_BB")
        return self.bb

    def require_solver(self) -> Path:
        """Return the witness solver, or raise ``ProverMissingError``."""
        if self.solver is None:
            raise ProverMissingError(what="Noir's witness solver", setting="ADYTON_ACVM")
        return self.solver


def find_installation(
    environ: Mapping[str, str], *, home: Path, checkout: Path = _CHECKOUT
) -> Installation:
    """Return what there is, by the settings in ``environ``, then in ``checkout``, then on the path.

    A setting is believed: it is returned even where it names nothing.
    """
    modules = checkout / "node_modules"
    return Installation(
        bb=_setting(environ, "ADYTON_BB")
        or _file(modules / "@aztec/bb.js/build" / _platform() / "bb")
        or _bb_on_path(environ),
        solver=_setting(environ, "ADYTON_ACVM")
        or _file(modules / "@noir-lang/acvm_js/web/acvm_js_bg.wasm"),
        circuits=_data("circuits", checkout),
        providers=_data("providers", checkout),
        cache=_setting(environ, "ADYTON_CACHE")
        or (_setting(environ, "XDG_CACHE_HOME") or home / ".cache") / "adyton",
    )


def file_sha256(path: Path) -> str:
    """Return a file's SHA-256, read once for as long as its size and time stay the same."""
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


def private_folder(path: Path) -> Path | None:
    """Return ``path``, made if need be, and ``None`` where it cannot be made.

    Nobody but this user can write to it; else raises ``FolderNotPrivateError``.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
    except OSError:
        return None
    if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise FolderNotPrivateError(path=path)
    return path


@lru_cache(maxsize=64)
def _sha256(path: Path, _size: int, _modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _setting(environ: Mapping[str, str], name: str) -> Path | None:
    # An empty variable is one that was not set.
    return Path(value) if (value := environ.get(name)) else None


def _file(path: Path) -> Path | None:
    return path if path.is_file() else None


def _platform() -> str:
    processor = _PROCESSORS.get(platform.machine().lower(), platform.machine())
    return f"{processor}-{_SYSTEMS.get(sys.platform, sys.platform)}"


def _bb_on_path(environ: Mapping[str, str]) -> Path | None:
    found = shutil.which("bb", path=environ.get("PATH", ""))
    # Other programs have this name too.
    if found is None or file_sha256(Path(found)) not in KNOWN_BB_SHA256:
        return None
    return Path(found)


def _data(name: str, checkout: Path) -> Path:
    packaged = _PACKAGE / "data" / name
    return packaged if packaged.is_dir() else checkout / name
