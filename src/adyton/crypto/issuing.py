"""Issuing P-384 certificates in the shape of a Nitro attestation chain, for stand-ins.

What is issued here says nothing about hardware. It has the extensions that ``path`` asks for, so
that a stand-in is verified by the same code as the real thing, under a root that nobody pins.
"""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from adyton.crypto.ecdsa import Es384Key
from adyton.errors import MalformedError

__all__ = ["Authority", "Validity", "issue_root"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity:
    """When a certificate may be used: both ends belong to it."""

    first: datetime
    last: datetime


class Authority:
    """A certificate with its key, able to issue below itself."""

    __slots__ = ("_certificate", "key")

    def __init__(self, der: bytes, key: Es384Key) -> None:
        try:
            self._certificate = x509.load_der_x509_certificate(der)
        except ValueError as error:
            raise MalformedError("not an x.509 certificate") from error
        self.key = key

    @property
    def der(self) -> bytes:
        """The certificate."""
        return self._certificate.public_bytes(Encoding.DER)

    def issue_authority(
        self, name: str, *, validity: Validity, path_length: int, key: Es384Key
    ) -> "Authority":
        """Return an authority below this one, with at most ``path_length`` authorities below it."""
        builder = _builder(name, validity, key).issuer_name(self._certificate.subject)
        return Authority(_signed(_as_authority(builder, path_length), self.key), key)

    def issue_signer(self, name: str, *, validity: Validity, key: Es384Key) -> bytes:
        """Return the DER of a certificate whose key signs documents and no certificates."""
        builder = (
            _builder(name, validity, key)
            .issuer_name(self._certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_documents=True), critical=False)
        )
        return _signed(builder, self.key)


def issue_root(name: str, *, validity: Validity, key: Es384Key) -> Authority:
    """Return an authority that nobody issued."""
    builder = _builder(name, validity, key).issuer_name(_name(name))
    return Authority(_signed(_as_authority(builder, None), key), key)


def _builder(name: str, validity: Validity, key: Es384Key) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key.private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.first)
        .not_valid_after(validity.last)
    )


def _name(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Adyton"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _as_authority(
    builder: x509.CertificateBuilder, path_length: int | None
) -> x509.CertificateBuilder:
    return builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), critical=True
    ).add_extension(_usage(signs_documents=False), critical=True)


def _usage(*, signs_documents: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs_documents,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signs_documents,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, key: Es384Key) -> bytes:
    return builder.sign(key.private, SHA384()).public_bytes(Encoding.DER)
