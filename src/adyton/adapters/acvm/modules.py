"""The solver's WebAssembly modules: which one we accept, compiled once and kept.

Compiling the solver takes more than a second, loading a compiled one some milliseconds. A compiled
module is machine code, and ``wasmtime`` believes it: so it is kept only in a folder that nobody but
this user can write to, and looked for nowhere else.

Compiling also takes memory that the process never gives back, and threads that a ``fork`` would
lose: where the result can be kept, a process of its own compiles (``python -m`` this package).
"""

import hashlib
import os
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Final

import wasmtime

from adyton.adapters.installation import private_folder
from adyton.errors import UnavailableError

__all__ = [
    "SOLVER_SHA256",
    "Linked",
    "Modules",
    "SolverUnknownError",
    "compile_into",
    "keep_compiled",
    "load_compiled",
    "load_modules",
]

# web/acvm_js_bg.wasm of @noir-lang/acvm_js 1.0.0-beta.26, as package-lock.json fixes the package.
# javascript.wat answers the imports of exactly this build: their names hold hashes.
SOLVER_SHA256: Final = "c982c452f91142e3f01a6ce5a9ecd652d48fff7ab644e4343c8130a29e82785a"

# What else decides how a module is compiled; it changes with ``_engine``.
_SETTINGS: Final = b"fuel, gc, multi-memory"


class SolverUnknownError(UnavailableError):
    """The witness solver is not the build that this version was written for."""

    code = "witness-solver-unknown"

    def __init__(self, *, path: Path, found: str | None) -> None:
        what = "cannot be read" if found is None else f"has the digest {found}"
        super().__init__(f"the witness solver {path} {what}; run npm ci to get {SOLVER_SHA256}")
        self.path, self.found = path, found


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A compiled module and the names of its imports, in their order."""

    module: wasmtime.Module
    imports: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Modules:
    """The compiled modules and their engine; threads and forked processes can share them."""

    engine: wasmtime.Engine
    solver: Linked
    javascript: Linked
    bridge: Linked


def load_modules(path: Path, *, cache_dir: Path | None) -> Modules:
    """Return the modules, the solver's from ``path``; compiled ones are kept in ``cache_dir``.

    The solver's bytes have the pinned digest. Raises ``SolverUnknownError`` where they have not or
    cannot be read, and ``FolderNotPrivateError`` where others can write to ``cache_dir``.
    """
    sources = _sources(path)
    engine = _engine()
    cache = None if cache_dir is None else private_folder(cache_dir)
    if cache is not None and not all(_is_ours(_kept(cache, source)) for source in sources):
        # Whether it worked is seen by what it left.
        subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", __package__, str(path), str(cache)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=False,
        )
    solver, javascript, bridge = (_loaded(engine, source, cache) for source in sources)
    return Modules(engine=engine, solver=solver, javascript=javascript, bridge=bridge)


def compile_into(path: Path, cache: Path) -> None:
    """Compile the modules, the solver's from ``path``, into the private folder ``cache``."""
    engine = _engine()
    for source in _sources(path):
        keep_compiled(engine, source, cache)


def keep_compiled(engine: wasmtime.Engine, source: bytes, cache: Path) -> None:
    """Compile ``source``; a reader of ``cache`` finds all of the result or nothing."""
    compiled = wasmtime.Module(engine, source).serialize()
    # mkstemp makes the file readable and writable for its owner only.
    descriptor, temporary = tempfile.mkstemp(dir=cache, prefix=".compiled.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(compiled)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(_kept(cache, source))
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def _sources(path: Path) -> tuple[bytes, bytes, bytes]:
    try:
        solver = path.read_bytes()
    except OSError as error:
        raise SolverUnknownError(path=path, found=None) from error
    if (found := hashlib.sha256(solver).hexdigest()) != SOLVER_SHA256:
        raise SolverUnknownError(path=path, found=found)
    folder = files(__package__)
    javascript, bridge = (folder / name for name in ("javascript.wat", "bridge.wat"))
    return solver, javascript.read_bytes(), bridge.read_bytes()


def _engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    # Fuel bounds an execution without a clock and without a thread, which no fork would copy.
    config.consume_fuel = True
    # In javascript.wat, references are unboxed numbers, and each kind of data has a memory.
    config.wasm_gc = True
    config.wasm_function_references = True
    config.wasm_multi_memory = True
    # The other way of catching traps on macOS is a thread, which would be missing after a fork.
    config.macos_use_mach_ports = False
    return wasmtime.Engine(config)


def _loaded(engine: wasmtime.Engine, source: bytes, cache: Path | None) -> Linked:
    module = load_compiled(engine, source, cache) or wasmtime.Module(engine, source)
    # Asked once: the answer is built anew each time, and an instance must be cheap.
    return Linked(module=module, imports=tuple(item.name or "" for item in module.imports))


def load_compiled(
    engine: wasmtime.Engine, source: bytes, cache: Path | None
) -> wasmtime.Module | None:
    """Return what ``source`` compiles to if ``cache`` has it, and ``None`` otherwise."""
    if cache is None or not _is_ours(kept := _kept(cache, source)):
        return None
    try:
        return wasmtime.Module.deserialize_file(engine, str(kept))
    except wasmtime.WasmtimeError:
        # Made for another processor, or damaged: the next start compiles again.
        kept.unlink(missing_ok=True)
        return None


def _kept(cache: Path, source: bytes) -> Path:
    compiler = version("wasmtime").encode()
    key = hashlib.sha256(b"\0".join((compiler, _SETTINGS, source))).hexdigest()
    return cache / f"{key}.compiled"


def _is_ours(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    # Not a link, which could lead out of the private folder.
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid()
