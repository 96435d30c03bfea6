"""The roots that attestation services publish, pinned. The others' keys are pinned by a policy.

A root is the SHA-256 of a certificate's DER, or of a whole key set (JWKS) as it was published: the
first begins with 0x30 and the second with a brace, so that neither is ever taken for the other.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["CONFIDENTIAL_SPACE_ROOT", "TOKEN_ROOTS"]

# SHA-256 of the DER of CN=Confidential Space Root CA, O=Google LLC, OU=Google Cloud; RSA with 4096
# bits; valid from 2024-01-19 to 2034-01-16. Google publishes it at
# https://confidentialcomputing.googleapis.com/.well-known/confidential_space_root.crt. Computed on
# 2026-11-20 of the certificate that ends the chain of a genuine token.
CONFIDENTIAL_SPACE_ROOT: Final = bytes.fromhex(
    "148b293821bb0c6a317f413c8ba475814091cb22d49b9e3c94198db8e8f86c39"
)

TOKEN_ROOTS: Final[Mapping[str, bytes]] = MappingProxyType(
    {"google-confidential-space": CONFIDENTIAL_SPACE_ROOT}
)
