"""Issuing certificates for TLS (RFC 5280), for sandboxes, tests and private networks.

An authority that is made here is trusted by nobody until somebody says so. ``issuing`` makes the
other kind, for attestation documents.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from adyton.crypto.issuing import Validity

__all__ = ["KeyType", "ServerCertificate", "TlsAuthority", "issue_tls_root"]

_Key: TypeAlias = EllipticCurvePrivateKey | RSAPrivateKey


class KeyType(StrEnum):
    """The keys that TLS servers commonly have."""

    P256 = "p256"
    P384 = "p384"
    RSA_2048 = "rsa-2048"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCertificate:
    """A server's certificate with those above it, root left out, and its private key."""

    chain_pem: str
    key_pem: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsAuthority:
    """An authority able to issue below itself. ``chain_pem`` ends below the root."""

    pem: str
    chain_pem: str
    key_pem: bytes = field(repr=False)

    def issue_authority(
        self, name: str, *, validity: Validity, key_type: KeyType = KeyType.P256
    ) -> "TlsAuthority":
        """Return an intermediate authority, which issues to servers only."""
        key = _generate(key_type)
        builder = (
            _builder(name, key, validity)
            .issuer_name(self._certificate().subject)
            .add_extension(self._identifier(), critical=False)
        )
        pem = self._signed(_as_authority(builder, path_length=0))
        return TlsAuthority(pem=pem, chain_pem=pem + self.chain_pem, key_pem=_key_pem(key))

    def issue_server(
        self,
        names: Sequence[str],
        *,
        validity: Validity,
        key_type: KeyType = KeyType.P256,
    ) -> ServerCertificate:
        """Return a certificate for a server with these DNS names, the first being its subject."""
        key = _generate(key_type)
        builder = (
            _builder(names[0], key, validity)
            .issuer_name(self._certificate().subject)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
            .add_extension(self._identifier(), critical=False)
        )
        return ServerCertificate(
            chain_pem=self._signed(builder) + self.chain_pem, key_pem=_key_pem(key)
        )

    def _certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.pem.encode())

    def _identifier(self) -> x509.AuthorityKeyIdentifier:
        subject = self._certificate().extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject.value)

    def _signed(self, builder: x509.CertificateBuilder) -> str:
        key = load_pem_private_key(self.key_pem, password=None)
        if not isinstance(key, EllipticCurvePrivateKey | RSAPrivateKey):
            raise TypeError("an authority's key is an elliptic-curve or an rsa key")
        return _signed(builder, key)


def issue_tls_root(
    name: str, *, validity: Validity, key_type: KeyType = KeyType.P256
) -> TlsAuthority:
    """Return an authority that nobody issued, with a fresh key."""
    key = _generate(key_type)
    builder = _builder(name, key, validity).issuer_name(_name(name))
    pem = _signed(_as_authority(builder, path_length=None), key)
    return TlsAuthority(pem=pem, chain_pem="", key_pem=_key_pem(key))


def _generate(key_type: KeyType) -> _Key:
    match key_type:
        case KeyType.P256:
            return generate_private_key(SECP256R1())
        case KeyType.P384:
            return generate_private_key(SECP384R1())
        case KeyType.RSA_2048:
            return generate_rsa_key(public_exponent=65537, key_size=2048)


def _builder(name: str, key: _Key, validity: Validity) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.first)
        .not_valid_after(validity.last)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(name: str) -> x509.Name:
    # A common name has at most 64 characters; the names that count are the alternative ones.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _as_authority(
    builder: x509.CertificateBuilder, *, path_length: int | None
) -> x509.CertificateBuilder:
    return builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), critical=True
    ).add_extension(_usage(signs_certificates=True), critical=True)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, key: _Key) -> str:
    is_p384 = isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP384R1)
    certificate = builder.sign(key, SHA384() if is_p384 else SHA256())
    return certificate.public_bytes(Encoding.PEM).decode()


def _key_pem(key: _Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
