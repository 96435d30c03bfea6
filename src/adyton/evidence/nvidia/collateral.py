"""What is needed to verify a device's evidence beside it: golden values, and revocation.

NVIDIA's services give out golden values (RIMs) and answers about revocation (OCSP). Nothing here is
verified, and it does not matter who gave it.
"""

from dataclasses import dataclass
from typing import Final

from adyton.crypto.ocsp import MAX_OCSP_BYTES
from adyton.errors import MalformedError

__all__ = ["MAX_RIM_BYTES", "NvidiaCollateral"]

# Its files of golden values are far below it.
MAX_RIM_BYTES: Final = 256 * 1024
# Three for the device, and as many for each of two RIMs.
MAX_ANSWERS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class NvidiaCollateral:
    """Golden values of driver and VBIOS, and answers about revocation.

    A switch has no driver of its own. What is absent is ``None`` or empty, and the claims say so.
    """

    driver_rim: bytes | None = None
    vbios_rim: bytes | None = None
    ocsp: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Raise ``MalformedError`` for what is longer than any of NVIDIA's."""
        if len(self.ocsp) > MAX_ANSWERS:
            raise MalformedError(f"there are {len(self.ocsp)} answers, limit {MAX_ANSWERS}")
        for name, parts, limit in (
            ("a rim", (self.driver_rim or b"", self.vbios_rim or b""), MAX_RIM_BYTES),
            ("an answer about revocation", self.ocsp, MAX_OCSP_BYTES),
        ):
            if (size := max(map(len, parts), default=0)) > limit:
                raise MalformedError(f"{name} has {size} bytes, limit {limit}")
