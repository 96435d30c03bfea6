"""Certificates for people: whose, by whom, from when to when. Nothing about them is verified."""

import warnings
from collections.abc import Mapping

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from adyton.crypto.hashing import sha256

__all__ = ["describe_certificate"]


def describe_certificate(der: bytes) -> Mapping[str, str] | None:
    """Return what a certificate says of itself; ``None`` for what cannot be read as one."""
    # All of AMD's chips have the number 0, which the library warns about.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _described(der)


def _described(der: bytes) -> Mapping[str, str] | None:
    try:
        certificate = x509.load_der_x509_certificate(der)
        return {
            "subject": certificate.subject.rfc4514_string(),
            "issuer": certificate.issuer.rfc4514_string(),
            "serial": f"{certificate.serial_number:x}",
            "first": f"{certificate.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}",
            "last": f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
            "sha256": sha256(der).hex(),
        }
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm):
        return None
