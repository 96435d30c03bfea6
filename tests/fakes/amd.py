"""A fake AMD: root and signing keys, chips and operators of three generations, and their reports.

Written without what it tests: certificates and lists are built here, the report by offsets, DER by
a few lines of its own. ``FakeAmd`` mints what is right; one changed ``Certificate`` or one argument
makes it wrong in that one way.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from adyton.evidence.sev_snp.collateral import AmdCollateral

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
CHIP = hashlib.sha512(b"chip").digest()
OPERATOR = "CN=operator.example"
OID = "1.3.6.1.4.1.3704.1."

Name = Literal["Milan", "Genoa", "Turin"]
Kind = Literal["vcek", "vlek"]

# Family, model and stepping; the product's name; and the eight bytes of the TCB's versions.
PROCESSORS: Mapping[Name, tuple[bytes, str, bytes]] = {
    "Milan": (bytes([0x19, 0x01, 1]), "Milan-B0", bytes([4, 0, 0, 0, 0, 0, 27, 222])),
    "Genoa": (bytes([0x19, 0x11, 1]), "Genoa", bytes([10, 0, 0, 0, 0, 0, 23, 84])),
    "Turin": (bytes([0x1A, 0x02, 1]), "Turin", bytes([1, 1, 1, 4, 0, 0, 0, 81])),
}

# Where the table has its fields: offset and size.
REPORT: Mapping[str, tuple[int, int]] = {
    "version": (0x00, 4),
    "guest_svn": (0x04, 4),
    "policy": (0x08, 8),
    "family_id": (0x10, 16),
    "image_id": (0x20, 16),
    "vmpl": (0x30, 4),
    "signature_algo": (0x34, 4),
    "current_tcb": (0x38, 8),
    "platform_info": (0x40, 8),
    "key_info": (0x48, 4),
    "reserved_1": (0x4C, 4),
    "report_data": (0x50, 64),
    "measurement": (0x90, 48),
    "host_data": (0xC0, 32),
    "id_key_digest": (0xE0, 48),
    "author_key_digest": (0x110, 48),
    "report_id": (0x140, 32),
    "report_id_ma": (0x160, 32),
    "reported_tcb": (0x180, 8),
    "processor": (0x188, 3),
    "reserved_2": (0x18B, 21),
    "chip_id": (0x1A0, 64),
    "committed_tcb": (0x1E0, 8),
    "current_version": (0x1E8, 3),
    "reserved_3": (0x1EB, 1),
    "committed_version": (0x1EC, 3),
    "reserved_4": (0x1EF, 1),
    "launch_tcb": (0x1F0, 8),
    "launch_mit_vector": (0x1F8, 8),
    "current_mit_vector": (0x200, 8),
    "reserved_5": (0x208, 152),
}
SIGNED = 0x2A0


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """How one certificate is made. ``extensions`` are AMD's, by the end of their identifiers."""

    name: str
    serial: int
    first: datetime = NOW - timedelta(days=300)
    last: datetime = NOW + timedelta(days=300)
    is_authority: bool = True
    path_length: int | None = None
    signs_lists: bool = False
    signs_documents: bool | None = False
    extensions: Mapping[str, bytes] = field(default_factory=dict)
    issuer: str | None = None
    signed_by_itself: bool = False
    hash: SHA256 | SHA384 = field(default_factory=SHA384)
    version: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    """How a revocation list is made."""

    revoked: tuple[int, ...] = ()
    first: datetime = NOW - timedelta(days=10)
    last: datetime = NOW + timedelta(days=20)
    hash: SHA256 | SHA384 = field(default_factory=SHA384)


def der(tag: int, *content: bytes) -> bytes:
    """Return an element with its length in the shortest form."""
    body = b"".join(content)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(body).to_bytes(size, "big") + body


def integer(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def text(value: str) -> bytes:
    return der(0x16, value.encode())


def extensions(name: Name, kind: Kind, **changes: bytes | None) -> dict[str, bytes]:
    """Return what a certificate says of its chip; a change to ``None`` leaves it out."""
    _, product, tcb = PROCESSORS[name]
    spl = dict.fromkeys(range(1, 9), 0)
    if name == "Turin":
        del spl[4]
        spl[9], spl[1], spl[2], spl[3], spl[8] = tcb[0], tcb[1], tcb[2], tcb[3], tcb[7]
    else:
        spl[1], spl[2], spl[3], spl[8] = tcb[0], tcb[1], tcb[6], tcb[7]
    found: dict[str, bytes | None] = {
        "1": integer(int(name == "Turin")),
        "2": text(product),
        **{f"3.{n}": integer(value) for n, value in spl.items()},
    }
    if kind == "vcek":
        found["4"] = CHIP[:8] if name == "Turin" else CHIP
    else:
        found["5"] = text(OPERATOR)
    found |= {key.replace("_", ".").removeprefix("e"): value for key, value in changes.items()}
    return {key: value for key, value in found.items() if value is not None}


def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Keys:
    """The keys of a vendor: made once, for they cost more than all that is done with them."""

    def __init__(self) -> None:
        self.ark = _rsa()
        self.authority = _rsa()
        self.vek = ec.generate_private_key(ec.SECP384R1())


KEYS = Keys()


class FakeAmd:
    """A vendor of one generation, with a chip of its own or an operator."""

    def __init__(
        self,
        name: Name = "Milan",
        kind: Kind = "vcek",
        *,
        keys: Keys = KEYS,
        ark: Mapping[str, Any] | None = None,
        authority: Mapping[str, Any] | None = None,
        vek: Mapping[str, Any] | None = None,
    ) -> None:
        self.name, self.kind, self.keys = name, kind, keys
        infix = "VLEK-" if kind == "vlek" else ""
        self.ark = Certificate(
            **{"name": f"ARK-{name}", "serial": 65536, "signs_lists": True, **(ark or {})}
        )
        self.authority = Certificate(
            **{
                "name": f"SEV-{infix}{name}",
                "serial": 65537,
                "path_length": 0,
                **(authority or {}),
            }
        )
        self.vek = Certificate(
            **{
                "name": f"SEV-{kind.upper()}",
                "serial": 0,
                "is_authority": False,
                "signs_documents": None,
                "extensions": extensions(name, kind),
                **(vek or {}),
            }
        )
        self.ark_der = _certificate(self.ark, self.ark.name, keys.ark, keys.ark)
        self.authority_der = _certificate(self.authority, self.ark.name, keys.authority, keys.ark)
        self.vek_der = _certificate(self.vek, self.authority.name, keys.vek, keys.authority)

    @property
    def roots(self) -> dict[str, bytes]:
        """What a verifier that trusts this vendor is given."""
        return {"fake": hashlib.sha256(self.ark_der).digest()}

    def collateral(self, **changes: Any) -> AmdCollateral:
        """Return what a report of this vendor is verified with."""
        parts: dict[str, Any] = {
            "ark": self.ark_der,
            "authority": self.authority_der,
            "vek": self.vek_der,
            "crl": None,
            **changes,
        }
        return AmdCollateral(**parts)

    def body(self, **changes: bytes | int) -> bytes:
        """Return the part of a report that is signed."""
        processor, _, tcb = PROCESSORS[self.name]
        version = changes.get("version", 5)
        assert isinstance(version, int)
        values: dict[str, bytes | int] = {
            "version": version,
            "guest_svn": 2,
            "policy": 0x3001F,
            "family_id": b"family".ljust(16, b"\0"),
            "image_id": b"image".ljust(16, b"\0"),
            "signature_algo": 1,
            "current_tcb": tcb,
            "platform_info": 0x25,
            "key_info": 4 if self.kind == "vlek" else 0,
            "report_data": hashlib.sha512(b"report data").digest(),
            "measurement": hashlib.sha384(b"measurement").digest(),
            "host_data": hashlib.sha256(b"host data").digest(),
            "id_key_digest": hashlib.sha384(b"id key").digest(),
            "report_id": hashlib.sha256(b"report id").digest(),
            "report_id_ma": b"\xff" * 32,
            "reported_tcb": tcb,
            "chip_id": CHIP[:8].ljust(64, b"\0") if self.name == "Turin" else CHIP,
            "committed_tcb": tcb,
            "current_version": bytes([35, 55, 1]),
            "committed_version": bytes([29, 55, 1]),
            "launch_tcb": tcb,
            **({"processor": processor} if version >= 3 else {}),
            **({"launch_mit_vector": 3, "current_mit_vector": 7} if version >= 5 else {}),
            **changes,
        }
        data = bytearray(SIGNED)
        for name, value in values.items():
            offset, size = REPORT[name]
            content = value.to_bytes(size, "little") if isinstance(value, int) else value
            assert len(content) == size, name
            data[offset : offset + size] = content
        return bytes(data)

    def sign(self, body: bytes) -> bytes:
        """Return the signature as a report has it."""
        numbers = utils.decode_dss_signature(self.keys.vek.sign(body, ec.ECDSA(SHA384())))
        return b"".join(number.to_bytes(72, "little") for number in numbers).ljust(512, b"\0")

    def report(
        self, *, body: bytes | None = None, signature: bytes | None = None, **changes: bytes | int
    ) -> bytes:
        """Return a signed report."""
        data = self.body(**changes) if body is None else body
        return data + (self.sign(data) if signature is None else signature)

    def crl(self, recipe: List | None = None, *, signer: str = "ark", issuer: str = "") -> bytes:
        """Return a revocation list."""
        made = recipe or List()
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(_name(issuer or self.ark.name))
            .last_update(made.first)
            .next_update(made.last)
        )
        for serial in made.revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(serial)
                .revocation_date(made.first)
                .build()
            )
        key: rsa.RSAPrivateKey = getattr(self.keys, signer)
        return builder.sign(key, made.hash, rsa_padding=_pss(made.hash)).public_bytes(Encoding.DER)


GUIDS: Mapping[str, str] = {
    "vcek": "63da758de6644564adc5f4b93be8accd",
    "vlek": "a8074bc2a25a483eaae639c045a0b8a1",
    "ask": "4ab7b379bbac4fe4a02f05aef327c782",
    "ark": "c0b406a4a803495297433fb6014cd0ae",
    "crl": "92f81bc358114d3d97ffd19f88dc67ea",
    "other": "00112233445566778899aabbccddeeff",
}


def table(parts: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a table of certificates as a host puts it behind a report."""
    offset = 24 * (len(parts) + 1)
    head, body = b"", b""
    for name, part in parts:
        numbers = (offset + len(body), len(part))
        head += bytes.fromhex(GUIDS[name]) + b"".join(n.to_bytes(4, "little") for n in numbers)
        body += part
    return head + bytes(24) + body


def _pss(algorithm: SHA256 | SHA384) -> padding.PSS:
    return padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)


def _certificate(
    item: Certificate,
    issuer: str,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    signer: rsa.RSAPrivateKey,
) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(item.name))
        .issuer_name(_name(item.issuer or issuer))
        .public_key(key.public_key())
        .serial_number(item.serial or 1)
        .not_valid_before(item.first)
        .not_valid_after(item.last)
    )
    if item.is_authority:
        basic = x509.BasicConstraints(ca=True, path_length=item.path_length)
        builder = builder.add_extension(basic, critical=True)
    if item.signs_documents is not None:
        builder = builder.add_extension(_usage(item), critical=True)
    for oid, value in item.extensions.items():
        extension = x509.UnrecognizedExtension(ObjectIdentifier(OID + oid), value)
        builder = builder.add_extension(extension, critical=False)
    made = builder.sign(signer, item.hash, rsa_padding=_pss(item.hash))
    # The builder numbers from one; AMD gives its chips a zero.
    version = bytes([0xA0, 3, 2, 1])
    body = made.tbs_certificate_bytes
    if item.serial == 0:
        body = body.replace(version + b"\2" + integer(1), version + b"\2" + integer(0), 1)
    body = body.replace(version + b"\2", version + bytes([item.version]), 1)
    by = key if item.signed_by_itself and isinstance(key, rsa.RSAPrivateKey) else signer
    if item.signed_by_itself and by is signer:
        by = _rsa()
    signature = by.sign(body, _pss(item.hash), item.hash)
    return der(0x30, body, _algorithm(body), der(0x03, b"\0", signature))


def _algorithm(body: bytes) -> bytes:
    """Return the algorithm that stands in the part that is signed: the first of PSS."""
    start = body.index(bytes.fromhex("06092a864886f70d01010a")) - 2
    return body[start : start + 2 + body[start + 1]]


def _name(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Fake"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _usage(item: Certificate) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=bool(item.signs_documents),
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=item.is_authority,
        crl_sign=item.signs_lists,
        encipher_only=False,
        decipher_only=False,
    )
