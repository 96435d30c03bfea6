"""The roots that attestation services publish, pinned. The others' keys are pinned by a policy.

A root is the SHA-256 of a certificate's DER, or of a whole key set (JWKS) as it was published: the
first begins with 0x30 and the second with a brace, so that neither is ever taken for the other.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["CONFIDENTIAL_SPACE_ROOT", "NRAS_AUTHORITY", "TOKEN_ROOTS"]

# SHA-256 of the DER of CN=Confidential Space Root CA, O=Google LLC, OU=Google Cloud; RSA with 4096
# bits; valid from 2024-01-19 to 2034-01-16. Google publishes it at
# https://confidentialcomputing.googleapis.com/.well-known/confidential_space_root.crt. Computed on
# 2026-11-20 of the certificate that ends the chain of a genuine token.
CONFIDENTIAL_SPACE_ROOT: Final = bytes.fromhex(
    "148b293821bb0c6a317f413c8ba475814091cb22d49b9e3c94198db8e8f86c39"
)

# SHA-256 of the DER of CN=NVIDIA Attestation Service GPU Intermediate 004, O=NVIDIA Corporation;
# RSA with 2048 bits; valid from 2025-12-08 to 2029-12-08. It stands highest in the chains of the
# key set at https://nras.attestation.nvidia.com/.well-known/jwks.json, whose keys live two days.
# Its issuer, CN=NVIDIA Attestation Service CA 001, is in none of them and published nowhere that we
# know of. Computed on 2026-11-20 of a genuine key's chain of 2026-06-08; others have seen the same.
NRAS_AUTHORITY: Final = bytes.fromhex(
    "2df8907cf4d6c277b855d407ec178a649930a8e73f7294e8fce66e6ee27c5175"
)

# By the names of the services: none speaks for another.
TOKEN_ROOTS: Final[Mapping[str, bytes]] = MappingProxyType(
    {"google-confidential-space": CONFIDENTIAL_SPACE_ROOT, "nvidia-nras": NRAS_AUTHORITY}
)
