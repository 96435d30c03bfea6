"""The roots of Intel's PCK certificates and collateral, pinned.

The certificate itself travels in every quote: only its digest is needed here. A root that is not
pinned in this file vouches for nothing but itself, whatever name a policy gives to it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["INTEL_ROOTS", "INTEL_SGX_ROOT_CA", "INTEL_SGX_ROOT_CA_2018"]

# SHA-256 of the DER of CN=Intel SGX Root CA, O=Intel Corporation, L=Santa Clara, ST=CA, C=US;
# P-256; valid from 2018-05-21 to 2049-12-31. Intel publishes it at
# https://certificates.trustedservices.intel.com/Intel_SGX_Provisioning_Certification_RootCA.cer.
# Computed on 2026-11-20 of the certificate that ends the chain of every genuine quote of today.
INTEL_SGX_ROOT_CA: Final = bytes.fromhex(
    "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3"
)
# The same name, key, serial number and first day, valid to 2033-05-21 only: what Intel gave out
# first. It ends the chain of quotes of 2019 and 2020, of which the digest was taken; that its key
# is the one above was computed. Trusting one key twice is trusting it once.
INTEL_SGX_ROOT_CA_2018: Final = bytes.fromhex(
    "fc64f8076d79a4fee9d1d473d74c89eb8d8fd55c5abafeabeba7366d20429404"
)

INTEL_ROOTS: Final[Mapping[str, bytes]] = MappingProxyType(
    {"intel-sgx": INTEL_SGX_ROOT_CA, "intel-sgx-2018": INTEL_SGX_ROOT_CA_2018}
)
