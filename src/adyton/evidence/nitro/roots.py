"""The root of AWS's Nitro attestation certificates, pinned.

The certificate itself travels in every document, as the first of its bundle: only its digest is
needed here. A root that is not pinned in this file vouches for nothing but itself, whatever name a
policy gives to it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["AWS_NITRO_ROOT_G1", "NITRO_ROOTS"]

# SHA-256 of the DER of CN=aws.nitro-enclaves, C=US, O=Amazon, OU=AWS; P-384; valid from 2019-10-28
# to 2049-10-28. Source: https://aws-nitro-enclaves.amazonaws.com/AWS_NitroEnclaves_Root-G1.zip,
# whose SHA-256 AWS documents (docs.aws.amazon.com/enclaves/latest/user/verify-root.html) as
# 8cf60e2b2efca96c6a9e71e851d00c1b6991cc09eadbe64a6a1d1b1eb9faff7c. Read on 2026-11-20; the same
# certificate begins the bundle of every genuine document that we test with.
AWS_NITRO_ROOT_G1: Final = bytes.fromhex(
    "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"
)

NITRO_ROOTS: Final[Mapping[str, bytes]] = MappingProxyType({"aws-nitro": AWS_NITRO_ROOT_G1})
