"""The roots that evidence may begin at: those that vendors publish, and those of a policy."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from adyton.evidence.dcap.roots import INTEL_ROOTS
from adyton.evidence.nitro.roots import NITRO_ROOTS
from adyton.evidence.nvidia.roots import NVIDIA_RIM_ROOTS, NVIDIA_ROOTS
from adyton.evidence.sev_snp.roots import AMD_ROOTS
from adyton.evidence.token.roots import TOKEN_ROOTS
from adyton.model.claims import VendorRoot

__all__ = ["VENDOR_ROOTS", "trusted_roots"]

VENDOR_ROOTS: Final[Mapping[str, bytes]] = MappingProxyType(
    {
        **NITRO_ROOTS,
        **INTEL_ROOTS,
        **AMD_ROOTS,
        **NVIDIA_ROOTS,
        **NVIDIA_RIM_ROOTS,
        **TOKEN_ROOTS,
    }
)


def trusted_roots(
    vendors: Iterable[VendorRoot], *, named: Mapping[str, bytes]
) -> Mapping[str, bytes]:
    """Return SHA-256 of each trusted root by its name.

    ``named`` has the digests that a policy brings. A policy cannot bring one under a vendor's name;
    if it could, the pinned digest would win.
    """
    return MappingProxyType({**named, **{root.value: VENDOR_ROOTS[root] for root in vendors}})
