"""A fake AWS: a root, its authorities, and a hypervisor that signs attestation documents.

Written with other libraries than what it tests (``cbor2``, and certificates built here), so that a
mistake is not made on both sides. ``FakeNitro`` mints what is right; one changed ``Certificate`` or
one argument of ``document`` makes it wrong in that one way.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
TIMESTAMP = 1_795_175_940_136  # a minute before NOW, with a fraction of a second
ES384_HEADER = cbor2.dumps({1: -35})
REGISTERS = {index: bytes(48) for index in range(16)} | {
    0: hashlib.sha384(b"image").digest(),
    1: hashlib.sha384(b"kernel").digest(),
    2: hashlib.sha384(b"application").digest(),
    8: hashlib.sha384(b"signer").digest(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """How one certificate of the chain is made. ``None`` for an extension leaves it out."""

    name: str
    first: datetime
    last: datetime
    is_authority: bool | None = True
    path_length: int | None = None
    basic_is_critical: bool = True
    signs_certificates: bool | None = True
    signs_documents: bool = False
    issuer: str | None = None
    curve: ec.EllipticCurve = field(default_factory=ec.SECP384R1)
    hash: SHA256 | SHA384 = field(default_factory=SHA384)
    unknown_critical: bool = False
    has_key_identifier: bool = False
    signed_by_itself: bool = False


CHAIN = (
    Certificate(
        name="fake.nitro-enclaves",
        first=datetime(2019, 10, 28, tzinfo=UTC),
        last=datetime(2049, 10, 28, tzinfo=UTC),
    ),
    Certificate(
        name="region",
        first=NOW - timedelta(days=4),
        last=NOW + timedelta(days=16),
        path_length=2,
    ),
    Certificate(
        name="zone", first=NOW - timedelta(days=1), last=NOW + timedelta(days=5), path_length=1
    ),
    Certificate(
        name="instance",
        first=NOW - timedelta(hours=2),
        last=NOW + timedelta(hours=22),
        path_length=0,
    ),
    Certificate(
        name="enclave",
        first=NOW - timedelta(minutes=2),
        last=NOW + timedelta(hours=3),
        is_authority=False,
        signs_certificates=False,
        signs_documents=True,
    ),
)


def changed(position: int, **changes: Any) -> tuple[Certificate, ...]:
    """Return the recipe of the good chain with one certificate made differently."""
    recipe = list(CHAIN)
    recipe[position] = replace(recipe[position], **changes)
    return tuple(recipe)


class FakeNitro:
    """A vendor with its keys, able to sign documents."""

    def __init__(self, recipe: Sequence[Certificate] = CHAIN) -> None:
        self.keys = [ec.generate_private_key(item.curve) for item in recipe]
        self.chain: list[bytes] = []
        for position, item in enumerate(recipe):
            issuer = max(position - 1, 0)
            signer = self.keys[position if item.signed_by_itself else issuer]
            name = item.issuer or recipe[issuer].name
            self.chain.append(_certificate(item, name, self.keys[position], signer))

    @property
    def root_sha256(self) -> bytes:
        return hashlib.sha256(self.chain[0]).digest()

    @property
    def roots(self) -> dict[str, bytes]:
        """What a verifier that trusts this vendor is given."""
        return {"fake": self.root_sha256}

    def fields(self, **changes: Any) -> dict[Any, Any]:
        """Return the payload's fields; a change to ``...`` leaves the field out."""
        fields: dict[Any, Any] = {
            "module_id": "i-0123456789abcdef0-enc0123456789abcdef",
            "digest": "SHA384",
            "timestamp": TIMESTAMP,
            "pcrs": REGISTERS,
            "certificate": self.chain[-1],
            "cabundle": self.chain[:-1],
            "public_key": b"public key",
            "user_data": b"user data",
            "nonce": b"nonce",
            **changes,
        }
        return {key: value for key, value in fields.items() if value is not ...}

    def document(
        self,
        fields: Mapping[Any, Any] | None = None,
        *,
        payload: bytes | None = None,
        protected: bytes = ES384_HEADER,
        unprotected: Mapping[Any, Any] | None = None,
        tag: int | None = None,
        signature: bytes | None = None,
        context: str = "Signature1",
    ) -> bytes:
        """Return a signed document. Everything that is given is signed, unless it is unsigned."""
        body = cbor2.dumps(self.fields() if fields is None else fields)
        body = body if payload is None else payload
        signed = cbor2.dumps([context, protected, b"", body])
        made = self.sign(signed) if signature is None else signature
        message: Any = [protected, dict(unprotected or {}), body, made]
        return cbor2.dumps(message if tag is None else cbor2.CBORTag(tag, message))

    def sign(self, message: bytes) -> bytes:
        """Return ES384 by the last key of the chain."""
        signature = self.keys[-1].sign(message, ec.ECDSA(SHA384()))
        r, s = utils.decode_dss_signature(signature)
        return r.to_bytes(48, "big") + s.to_bytes(48, "big")


def _certificate(
    item: Certificate,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(item.name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(item.first)
        .not_valid_after(item.last)
    )
    if item.is_authority is not None:
        builder = builder.add_extension(
            x509.BasicConstraints(ca=item.is_authority, path_length=item.path_length),
            critical=item.basic_is_critical,
        )
    if item.signs_certificates is not None:
        builder = builder.add_extension(_usage(item), critical=True)
    if item.has_key_identifier:
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    if item.unknown_critical:
        unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
        builder = builder.add_extension(unknown, critical=True)
    return builder.sign(signer, item.hash).public_bytes(Encoding.DER)


def _name(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Fake"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _usage(item: Certificate) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=item.signs_documents,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=bool(item.signs_certificates),
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
