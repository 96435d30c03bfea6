"""The root keys of AMD (ARK), pinned: one for each generation of processors.

The certificates are fetched with the others, or come with an extended report: only their digests
are needed here. A root that is not pinned in this file vouches for nothing but itself, whatever
name a policy gives to it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["AMD_ROOTS", "ARK_GENOA", "ARK_MILAN", "ARK_TURIN"]

# SHA-256 of the DER of CN=ARK-Milan (and so on), O=Advanced Micro Devices; RSA with 4096 bits,
# signed with PSS and SHA-384. AMD publishes them at https://kdsintf.amd.com/vcek/v1/Milan/cert_chain
# (and so on), behind the certificate that they sign. Computed on 2026-11-20 of the certificates
# that genuine reports of each generation lead to.
ARK_MILAN: Final = bytes.fromhex("69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd")
ARK_GENOA: Final = bytes.fromhex("4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1")
ARK_TURIN: Final = bytes.fromhex("1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a")

AMD_ROOTS: Final[Mapping[str, bytes]] = MappingProxyType(
    {"amd-milan": ARK_MILAN, "amd-genoa": ARK_GENOA, "amd-turin": ARK_TURIN}
)
