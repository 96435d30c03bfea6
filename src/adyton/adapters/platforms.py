"""Which platform vouches for a process, by its name in the settings."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

import adyton
from adyton.adapters.gramine import GraminePlatform
from adyton.adapters.insecure import InsecurePlatform
from adyton.adapters.nsm import NsmPlatform

__all__ = ["PlatformName", "open_platform"]


class PlatformName(StrEnum):
    """What vouches for a process."""

    INSECURE = "insecure"
    NITRO = "nitro"
    SGX = "sgx"


def open_platform(
    name: PlatformName, *, state: Path, clock: Callable[[], datetime]
) -> InsecurePlatform | NsmPlatform | GraminePlatform:
    """Return the platform; the insecure one keeps its root in ``state``.

    Raises ``PlatformStateError``, ``NsmUnavailableError`` or ``GramineUnavailableError``.
    """
    match name:
        case PlatformName.INSECURE:
            code = _measured_code()
            return InsecurePlatform.open(
                state, measured={0: code, 1: b"no kernel", 2: code}, clock=clock
            )
        case PlatformName.NITRO:
            return NsmPlatform.open()
        case PlatformName.SGX:
            return GraminePlatform.open()


@cache
def _measured_code() -> bytes:
    """Return a digest of our own source: what stands in for the measurement of an image."""
    package = Path(adyton.__file__).parent
    digest = hashlib.sha384()
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.digest()
