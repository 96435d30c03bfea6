"""Suites: with which keys and signatures the certificates of a path are made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography import x509

from adyton.crypto.ecdsa import (
    ECDSA_WITH_SHA256,
    ECDSA_WITH_SHA384,
    Es256PublicKey,
    Es384PublicKey,
)
from adyton.crypto.rsa import RSA_PSS_WITH_SHA384, RsaPssPublicKey

__all__ = ["ES256", "ES384", "PS384_AMD", "PublicKey", "Suite"]


class PublicKey(Protocol):
    """A key that checks signatures of one kind."""

    def check(self, message: bytes, signature: bytes, *, domain: str) -> None:
        """Raise unless ``signature`` is this key's over ``message``, which ``domain`` names."""
        ...

    def check_der(self, message: bytes, signature: bytes, *, domain: str) -> None:
        """Raise unless ``signature``, as certificates have it, is this key's."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """How every certificate of a path is signed, and what keys there are in it.

    ``algorithms`` are the AlgorithmIdentifiers, compared byte for byte. ``read_leaf_key`` is for
    the last certificate. The next two say what the vendor's last certificates leave out: the key
    usage (which then restricts nothing), and a number of their own (it is zero). ``leaf_purpose``
    is what their extended key usage must name, where they are for one thing alone.
    """

    name: str
    algorithms: frozenset[bytes]
    read_key: Callable[..., PublicKey]
    read_leaf_key: Callable[..., PublicKey]
    leaf_has_usage: bool = True
    leaf_has_serial: bool = True
    leaf_purpose: x509.ObjectIdentifier | None = None


ES256: Final = Suite(
    name="ecdsa and sha-256",
    algorithms=frozenset({ECDSA_WITH_SHA256}),
    read_key=Es256PublicKey,
    read_leaf_key=Es256PublicKey,
)
ES384: Final = Suite(
    name="ecdsa and sha-384",
    algorithms=frozenset({ECDSA_WITH_SHA384}),
    read_key=Es384PublicKey,
    read_leaf_key=Es384PublicKey,
)
# AMD's authorities have RSA keys, its chips keys of P-384. The certificates of chips follow
# "VCEK Certificate and KDS Interface Specification" (AMD 57230), which gives them no key usage.
PS384_AMD: Final = Suite(
    name="rsa-pss and sha-384",
    algorithms=RSA_PSS_WITH_SHA384,
    read_key=RsaPssPublicKey,
    read_leaf_key=Es384PublicKey,
    leaf_has_usage=False,
    leaf_has_serial=False,
)
