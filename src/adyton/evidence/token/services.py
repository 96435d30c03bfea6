"""The services whose tokens we read, and what is pinned of each: algorithms, and kinds of chains.

A token's header asks for an algorithm and offers keys; nothing of that is followed. Intel signs
with PS384, or RS256 on request ("Attestation tokens and claims"); Azure with RS256 ("Azure
Attestation", basic concepts); Google with RS256 ("Confidential Space", token validation); NVIDIA's
Remote Attestation Service with ES384.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adyton.crypto.ecdsa import ECDSA_WITH_SHA384, Es384PublicKey
from adyton.crypto.jwk import Algorithm
from adyton.crypto.rsa import SHA256_WITH_RSA, RsaPublicKey
from adyton.crypto.suites import PublicKey, Suite
from adyton.errors import MalformedError

__all__ = ["ALGORITHMS", "GOOGLE", "INTEL", "NVIDIA", "SUITES", "Issuer", "Service"]


class Service(StrEnum):
    """Who makes tokens: it decides how their claims are read."""

    INTEL_TRUST_AUTHORITY = "intel-trust-authority"
    AZURE_ATTESTATION = "azure-attestation"
    GOOGLE_CONFIDENTIAL_SPACE = "google-confidential-space"
    NVIDIA_NRAS = "nvidia-nras"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An instance of a service. ``name`` is compared with the claim ``iss``, letter by letter.

    Azure has one for each region and customer (``https://sharedweu.weu.attest.azure.net``): whoever
    verifies says which.
    """

    service: Service
    name: str


INTEL: Final = Issuer(
    service=Service.INTEL_TRUST_AUTHORITY, name="https://portal.trustauthority.intel.com"
)
GOOGLE: Final = Issuer(
    service=Service.GOOGLE_CONFIDENTIAL_SPACE, name="https://confidentialcomputing.googleapis.com"
)
NVIDIA: Final = Issuer(service=Service.NVIDIA_NRAS, name="https://nras.attestation.nvidia.com")

ALGORITHMS: Final[Mapping[Service, frozenset[Algorithm]]] = MappingProxyType(
    {
        Service.INTEL_TRUST_AUTHORITY: frozenset({Algorithm.PS384, Algorithm.RS256}),
        Service.AZURE_ATTESTATION: frozenset({Algorithm.RS256}),
        Service.GOOGLE_CONFIDENTIAL_SPACE: frozenset({Algorithm.RS256}),
        Service.NVIDIA_NRAS: frozenset({Algorithm.ES384}),
    }
)


def _authority_key(key: object, *, where: str) -> PublicKey:
    # NVIDIA's root has a P-384 key, the authority below it an RSA key. What a certificate says of
    # its signature is signed; which of the two it really is, the key above decides.
    try:
        return RsaPublicKey.from_key(key, where=where)
    except MalformedError:
        return Es384PublicKey(key, where=where)


# The chains that come with a token (Google) or with a key of a set (NVIDIA). Of Intel and Azure we
# know of none that leads to a root which they publish: there, a set is trusted as a whole.
SUITES: Final[Mapping[Service, Suite]] = MappingProxyType(
    {
        Service.GOOGLE_CONFIDENTIAL_SPACE: Suite(
            name="rsa and sha-256",
            algorithms=frozenset({SHA256_WITH_RSA}),
            read_key=RsaPublicKey.from_key,
            read_leaf_key=RsaPublicKey.from_key,
            leaf_has_usage=False,
        ),
        Service.NVIDIA_NRAS: Suite(
            name="rsa and sha-256, or ecdsa and sha-384",
            algorithms=frozenset({SHA256_WITH_RSA, ECDSA_WITH_SHA384}),
            read_key=_authority_key,
            read_leaf_key=Es384PublicKey,
        ),
    }
)
