"""The root keys of NVIDIA, pinned: one for devices, and one for golden values (RIMs).

The certificates come with a device's others, and in a RIM's signature: only their digests are
needed here. What signs golden values signs no reports, and the other way round.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = [
    "DEVICE_ROOT",
    "NVIDIA_RIM_ROOTS",
    "NVIDIA_ROOTS",
    "RIM_ROOT",
    "report_roots",
    "rim_roots",
]

# SHA-256 of the DER of CN=NVIDIA Device Identity CA, O=NVIDIA; P-384, from 2021-11-05, without end.
# NVIDIA publishes it with its verifier (github.com/NVIDIA/nvtrust, local_gpu_verifier, certs).
# Computed on 2026-11-20 of that file, and equal to the root of genuine chains of Hopper, Blackwell
# and LS10.
DEVICE_ROOT: Final = bytes.fromhex(
    "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48"
)
# SHA-256 of the DER of CN=NVIDIA CoRIM signing Root CA, O=NVIDIA, C=US; P-384, from 2023-03-16 to
# 2053-03-08. From the same place, computed on the same day, and equal to the root in genuine RIMs.
RIM_ROOT: Final = bytes.fromhex("12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1")

NVIDIA_ROOTS: Final[Mapping[str, bytes]] = MappingProxyType({"nvidia-device": DEVICE_ROOT})
NVIDIA_RIM_ROOTS: Final[Mapping[str, bytes]] = MappingProxyType({"nvidia-rim": RIM_ROOT})


def report_roots(roots: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return those of ``roots`` that a report may begin at."""
    return {name: root for name, root in roots.items() if name not in NVIDIA_RIM_ROOTS}


def rim_roots(roots: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return those of ``roots`` that golden values may begin at."""
    return {name: root for name, root in roots.items() if name not in NVIDIA_ROOTS}
