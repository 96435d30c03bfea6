"""Circuits and providers from their folders: those that come with us, and an operator's own."""

import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path

from adyton.errors import MalformedError, UnavailableError
from adyton.proofs.circuit import Circuit
from adyton.proofs.registry import CIRCUITS, circuit_from_files
from adyton.sources import ProviderDefinition, load

__all__ = ["LibraryMissingError", "load_circuits", "load_programs", "load_providers"]


class LibraryMissingError(UnavailableError):
    """A file that this installation should have is not there."""

    code = "library-missing"

    def __init__(self, *, path: Path) -> None:
        super().__init__(f"{path} cannot be read; install adyton again, or name the right folder")
        self.path = path


def load_circuits(folder: Path) -> Mapping[str, Circuit]:
    """Return every circuit by name, each with its committed artifact and verification key."""
    return {
        name: circuit_from_files(
            name,
            artifact=_read(folder / name / "artifact.json"),
            verification_key=_read(folder / name / "verification_key"),
        )
        for name in CIRCUITS
    }


def load_programs(circuits: Mapping[str, Circuit]) -> Mapping[str, bytes]:
    """Return each circuit's bytecode as the prover takes it, not compressed."""
    return {name: gzip.decompress(circuit.bytecode) for name, circuit in circuits.items()}


def load_providers(folders: Iterable[Path]) -> Mapping[str, ProviderDefinition]:
    """Return every definition in ``folders`` by identifier.

    Raises ``MalformedError`` with file and line for one that is not right, and for an identifier
    that two files claim: which of them answers must not depend on the order of a folder.
    """
    providers: dict[str, ProviderDefinition] = {}
    for folder in folders:
        if not folder.is_dir():
            raise LibraryMissingError(path=folder)
        for path in sorted(folder.glob("*.yaml")):
            definition = load(_read(path), file=path.name)
            if definition.id in providers:
                raise MalformedError(f"{path.name}: there is another provider {definition.id!r}")
            providers[definition.id] = definition
    return providers


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LibraryMissingError(path=path) from error
