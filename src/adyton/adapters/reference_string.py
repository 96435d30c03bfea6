"""The reference string: the points of a ceremony that proofs are made over.

``bb`` reads them from a folder: ``bn254_g1.dat`` has 64 bytes a point (x then y, big-endian), and
``bn254_g1_compressed.dat``, as ``bb`` downloads it, 32. A proof over 2^n gates takes up to 2^n
points. The one point of G2 is compiled into ``bb`` 5: a ``bn254_g2.dat`` is not read, and need not
be there.

Verifying takes the first point only, which is the curve's generator and no secret of a ceremony.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adyton.adapters.barretenberg import (
    DEFAULT_SETTINGS,
    BlockingBarretenberg,
    ProofSettings,
    ProverRefusedError,
    settings_for,
)
from adyton.adapters.installation import private_folder
from adyton.errors import UnavailableError
from adyton.model.proving import Target

__all__ = [
    "GrumpkinPointsMissingError",
    "ReferenceString",
    "ReferenceStringMissingError",
    "check_grumpkin_points",
    "check_points",
    "derive_grumpkin_points",
    "download_points",
    "find_reference_string",
    "verification_string",
]

_POINTS: Final = "bn254_g1.dat"
_POINTS_COMPRESSED: Final = "bn254_g1_compressed.dat"
_GRUMPKIN_POINTS: Final = "grumpkin_g1_v2.flat.dat"
_GRUMPKIN_WANTED: Final = 1 << 15
_POINT_SIZE: Final = 64
_POINT_SIZE_COMPRESSED: Final = 32
# BN254's generator of G1 (EIP-197): x = 1, y = 2.
_GENERATOR: Final = (1).to_bytes(32) + (2).to_bytes(32)


class ReferenceStringMissingError(UnavailableError):
    """There are too few points to prove a circuit with."""

    code = "reference-string-missing"

    def __init__(self, *, folder: Path, found: int, wanted: int) -> None:
        super().__init__(
            f"proving takes a reference string of {wanted} points and {folder} has {found}: "
            f"set CRS_PATH to a folder whose {_POINTS} has them, or let bb download them into "
            "~/.bb-crs on a machine with internet access"
        )
        self.folder, self.found, self.wanted = folder, found, wanted


class GrumpkinPointsMissingError(UnavailableError):
    """A target takes points of Grumpkin, and there are none."""

    code = "grumpkin-points-missing"

    def __init__(self, *, folder: Path) -> None:
        super().__init__(
            f"proving for this target takes {_GRUMPKIN_POINTS}, which is not in {folder}: start "
            "once where that folder can be written to, and bb makes it"
        )
        self.folder = folder


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceString:
    """A folder, and how many points it has; 0 where it is not there.

    ``grumpkin`` says whether the points of the second curve are in it.
    """

    folder: Path
    points: int
    grumpkin: bool = False


def find_reference_string(
    environ: Mapping[str, str], *, home: Path, setting: Path | None = None
) -> ReferenceString:
    """Return the folder to prove with: ``setting``, else ``CRS_PATH``, else ``~/.bb-crs``.

    The first of them that is given is taken, whatever is in it. Into the last one, ``bb``
    downloads what it lacks.
    """
    given = Path(path) if (path := environ.get("CRS_PATH")) else None
    folder = setting or given or home / ".bb-crs"
    return _read(folder)


def check_points(
    reference: ReferenceString, *, gates: int, settings: ProofSettings = DEFAULT_SETTINGS
) -> None:
    """Raise unless a circuit of ``gates`` can be proven.

    ``ReferenceStringMissingError`` or ``GrumpkinPointsMissingError``. Asked before ``bb`` is:
    without enough points, ``bb`` calls servers on the internet in the middle of a proof.
    """
    wanted = 1 << max(gates - 1, 0).bit_length()
    if reference.points < wanted:
        raise ReferenceStringMissingError(
            folder=reference.folder, found=reference.points, wanted=wanted
        )
    if settings.ipa_accumulation:
        check_grumpkin_points(reference)


def check_grumpkin_points(reference: ReferenceString) -> None:
    """Raise ``GrumpkinPointsMissingError`` where the points of the second curve are missing."""
    if not reference.grumpkin:
        raise GrumpkinPointsMissingError(folder=reference.folder)


def download_points(
    bb: BlockingBarretenberg, reference: ReferenceString, *, acir: bytes, gates: int
) -> ReferenceString:
    """Have ``bb``, started with this folder, download what the circuit ``acir`` takes, if need be.

    ``bb`` checks what it gets against digests compiled into it. Raises
    ``ReferenceStringMissingError`` where it gets nothing. For a start, never for a request.
    """
    if reference.points >= gates:
        return reference
    try:
        bb.compute_key(acir)
    except ProverRefusedError as error:
        raise ReferenceStringMissingError(
            folder=reference.folder, found=reference.points, wanted=gates
        ) from error
    found = _read(reference.folder)
    check_points(found, gates=gates)
    return found


def derive_grumpkin_points(
    bb: BlockingBarretenberg, reference: ReferenceString, *, acir: bytes
) -> ReferenceString:
    """Have ``bb``, started with this folder, write the points of Grumpkin there if need be.

    ``acir`` is any circuit that the points there are enough for. Raises ``UnavailableError`` where
    ``bb`` ends on it, as it does where it may not write. For a start, never for a request.
    """
    if reference.grumpkin:
        return reference
    bb.compute_key(acir, settings_for(Target.NOIR_ROLLUP))
    return _read(reference.folder)


def verification_string(folder: Path) -> Path:
    """Return ``folder`` with the one point that verifying takes, made if need be.

    Whoever could change the point could have false proofs verified: the folder is private, or
    ``FolderNotPrivateError`` is raised.
    """
    if private_folder(folder) is None:
        raise ReferenceStringMissingError(folder=folder, found=0, wanted=1)
    points = folder / _POINTS
    if points.is_symlink() or not points.is_file() or points.read_bytes() != _GENERATOR:
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=f".{_POINTS}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(_GENERATOR)
        # Whole or not at all: another process may be reading.
        Path(temporary).replace(points)
    return folder


def _read(folder: Path) -> ReferenceString:
    return ReferenceString(
        folder=folder,
        points=_uncompressed(folder / _POINTS)
        or _size(folder / _POINTS_COMPRESSED) // _POINT_SIZE_COMPRESSED,
        grumpkin=_size(folder / _GRUMPKIN_POINTS) >= _GRUMPKIN_WANTED * _POINT_SIZE,
    )


def _uncompressed(path: Path) -> int:
    try:
        with path.open("rb") as file:
            # A file that begins with another point is for another curve, or no such file at all.
            if file.read(_POINT_SIZE) != _GENERATOR:
                return 0
            return file.seek(0, os.SEEK_END) // _POINT_SIZE
    except OSError:
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
