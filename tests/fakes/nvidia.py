"""A fake NVIDIA: device and RIM authorities, devices of three generations, golden values, answers.

Written without what it tests: certificates and answers are built here with the library's builders,
the transcript by concatenation, DER by a few lines of its own, and XML as text that is canonical as
it is written. ``FakeNvidia`` mints what is right; one changed recipe or one argument makes it wrong
in that one way.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA224, SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from adyton.evidence.nvidia.collateral import NvidiaCollateral
from adyton.evidence.nvidia.serialized import SerializedEvidence

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
NONCE = hashlib.sha256(b"nonce").digest()
DEVICE_NONCE = hashlib.sha256(b"device nonce").digest()
FWID = hashlib.sha384(b"firmware").digest()
DRIVER = "590.48.01"
COMPOSITE, TCB_INFO = "2.23.133.5.4.1", "2.23.133.5.4.1.1"

Generation = Literal["hopper", "blackwell", "ls10"]
# The chip, what boots it, and how many measurements it has.
CHIPS: Mapping[Generation, tuple[str, str, int]] = {
    "hopper": ("GH100", "GSP", 64),
    "blackwell": ("GB100", "GSP", 64),
    "ls10": ("LS_10", "FSP", 31),
}
VBIOS: Mapping[Generation, str] = {
    "hopper": "96.00.9F.00.01",
    "blackwell": "97.00.D9.00.35",
    "ls10": "96.10.55.00.01",
}

SWID = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd"
SHA384_NAMES = "http://www.w3.org/2001/04/xmlenc#sha384"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
SIGNED_INFO = (
    '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2006/12/xml-c14n11">'
    "</ds:CanonicalizationMethod>"
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384">'
    "</ds:SignatureMethod>"
    '<ds:Reference URI=""><ds:Transforms>'
    '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature">'
    "</ds:Transform>"
    '<ds:Transform Algorithm="http://www.w3.org/2006/12/xml-c14n11"></ds:Transform>'
    "</ds:Transforms>"
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#sha384"></ds:DigestMethod>'
    "<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """How one certificate is made."""

    name: str
    serial: int
    first: datetime = NOW - timedelta(days=300)
    last: datetime = NOW + timedelta(days=300)
    is_authority: bool = True
    path_length: int | None = None
    signs_documents: bool = False
    extensions: Mapping[str, bytes] = field(default_factory=dict)
    purpose: ObjectIdentifier | None = None
    issuer: str | None = None
    signed_by_itself: bool = False
    hash: SHA256 | SHA384 = field(default_factory=SHA384)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How an answer about a certificate's revocation is made."""

    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD
    reason: x509.ReasonFlags | None = None
    first: datetime = NOW - timedelta(hours=1)
    last: datetime | None = NOW + timedelta(hours=23)
    responder: Mapping[str, Any] = field(default_factory=dict)
    is_direct: bool = False
    named: Literal["key", "name", "another"] = "key"
    signed_by_another: bool = False
    hash: SHA256 | SHA384 = field(default_factory=SHA384)
    names_by: SHA224 | SHA384 = field(default_factory=SHA384)
    # id-pkix-ocsp-basic
    type: bytes = bytes.fromhex("2b0601050507300101")
    unused_bits: int = 0
    replaced: tuple[bytes, bytes] = (b"", b"")
    extensions: tuple[x509.ExtensionType, ...] = ()
    is_critical: bool = False


def der(tag: int, *content: bytes) -> bytes:
    """Return an element with its length in the shortest form."""
    body = b"".join(content)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(body).to_bytes(size, "big") + body


def fwid(digest: bytes = FWID, oid: str = "608648016503040202") -> bytes:
    return der(0x30, der(0x06, bytes.fromhex(oid)), der(0x04, digest))


def composite(key: ec.EllipticCurvePrivateKey, digest: bytes = FWID, version: int = 1) -> bytes:
    """Return the identity of firmware as Hopper and LS10 have it."""
    info = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der(0x30, der(0x02, bytes([version])), info, fwid(digest))


def tcb_info(digest: bytes = FWID, flags: int = 0x80000001, behind: bytes = b"") -> bytes:
    """Return the identity of firmware as Blackwell has it."""
    texts = [der(0x80 + n, text) for n, text in enumerate((b"NVIDIA", b"GB100 A01 GSP", b"01"))]
    numbers = [der(tag, bytes([value])) for tag, value in ((0x83, 1), (0x84, 0), (0x85, 0))]
    digests = der(0xA6, fwid(digest), fwid(bytes(48)))
    end = [der(0x87, b"\0", flags.to_bytes(4, "big")), der(0x88, b"\xc0"), der(0x89, b"\0")]
    return der(0x30, *texts, *numbers, digests, *end, behind)


class Keys:
    """The keys of a vendor, one for each certificate."""

    def __init__(self) -> None:
        self.by_role = {
            role: ec.generate_private_key(ec.SECP384R1())
            for role in (
                *("root", "family", "line", "boot", "leaf"),
                *("rim_root", "rim_family", "rim_line", "rim_leaf"),
                *("responder", "other"),
            )
        }


KEYS = Keys()
# ecdsa-with-SHA2, without its last number.
_ECDSA = bytes.fromhex("2a8648ce3d0403")
DEVICE = ("root", "family", "line", "boot", "leaf")
RIM = ("rim_root", "rim_family", "rim_line", "rim_leaf")


class FakeNvidia:
    """A vendor with one device. A recipe is changed by its role: ``boot={"last": ...}``."""

    def __init__(
        self, generation: Generation = "hopper", *, keys: Keys = KEYS, **recipes: Mapping[str, Any]
    ) -> None:
        self.generation, self.keys = generation, keys.by_role
        chip, part, self.count = CHIPS[generation]
        self.chip = chip
        # NVSwitches come from under Hopper's authority.
        family = "GH100" if generation == "ls10" else chip
        firmware = (
            {TCB_INFO: tcb_info()}
            if generation == "blackwell"
            else {COMPOSITE: composite(self.keys["boot"])}
        )
        defaults: dict[str, dict[str, Any]] = {
            "root": {"name": "NVIDIA Device Identity CA", "serial": 1},
            "family": {"name": f"NVIDIA {family} Identity", "serial": 2},
            "line": {"name": f"NVIDIA {chip} Provisioner ICA 1", "serial": 3},
            "boot": {"name": f"{chip} A01 {part} BROM", "serial": 0x41431D48},
            "leaf": {
                "name": f"{chip} A01 {part} FMC LF",
                "serial": 0x53C22BA1,
                "is_authority": False,
                "signs_documents": True,
                "extensions": firmware,
            },
            "rim_root": {"name": "NVIDIA CoRIM signing Root CA", "serial": 11},
            "rim_family": {"name": f"NVIDIA Reference Value {chip} CA", "serial": 12},
            "rim_line": {
                "name": f"NVIDIA Reference Value L3 {chip} 001",
                "serial": 13,
                "path_length": 0,
            },
            "rim_leaf": {
                "name": "HCC RIM L4 Signer",
                "serial": 14,
                "is_authority": False,
                "signs_documents": True,
            },
        }
        self.recipes = {
            role: Certificate(**{**values, **recipes.get(role, {})})
            for role, values in defaults.items()
        }
        self.der: dict[str, bytes] = {}
        for chain in (DEVICE, RIM):
            for above, role in zip((chain[0], *chain), chain, strict=False):
                issuer = self.recipes[above].name
                self.der[role] = self._certificate(self.recipes[role], issuer, role, above)

    @property
    def roots(self) -> dict[str, bytes]:
        """What a verifier that trusts this vendor's devices is given."""
        return {"fake": hashlib.sha256(self.der["root"]).digest()}

    @property
    def rim_roots(self) -> dict[str, bytes]:
        """What a verifier that trusts this vendor's golden values is given."""
        return {"fake-rim": hashlib.sha256(self.der["rim_root"]).digest()}

    @property
    def chain(self) -> tuple[bytes, ...]:
        return tuple(self.der[role] for role in DEVICE)

    def collateral(self, **changes: Any) -> NvidiaCollateral:
        """Return what a report of this vendor is verified with: all of it, and all good."""
        parts: dict[str, Any] = {
            "driver_rim": None if self.generation == "ls10" else self.rim("driver"),
            "vbios_rim": self.rim("vbios"),
            "ocsp": self.answers(),
            **changes,
        }
        return NvidiaCollateral(**parts)

    def evidence(self, transcript: bytes | None = None) -> SerializedEvidence:
        """Return a report of this vendor's, with its certificates."""
        report = self.transcript() if transcript is None else transcript
        return SerializedEvidence(transcript=report, chain=self.chain)

    def values(self) -> list[bytes]:
        """Return what the device measures: every third is zero."""
        return [
            bytes(48) if index % 3 == 0 else hashlib.sha384(f"measured {index}".encode()).digest()
            for index in range(self.count)
        ]

    def opaque(self, **changes: bytes | None) -> list[tuple[int, bytes]]:
        """Return the fields of the opaque data; a change to ``None`` leaves one out (``f20``)."""
        if self.generation == "ls10":
            fields: dict[int, bytes | None] = {
                6: VBIOS["ls10"].encode(),
                22: bytes(range(8)),
                25: b"\1\0",
            }
        else:
            numbers = bytes.fromhex(VBIOS[self.generation].replace(".", ""))
            fields = {
                6: numbers[3::-1] + numbers[4:] + bytes(3),
                15: b"882\0\0",
                17: b"1010\0",
                18: b"0200\0",
                3: DRIVER.encode() + b"\0",
                11: b"\xaa",
                20: FWID,
                21: b"\x55",
            }
        if self.generation == "blackwell":
            fields |= {34: b"\1\0", 35: b"GB100\0", 36: b"\1\0"}
        fields |= {int(key[1:]): value for key, value in changes.items()}
        return [(key, value) for key, value in fields.items() if value is not None]

    def body(
        self,
        *,
        request: bytes = bytes.fromhex("11e001ff"),
        nonce: bytes = NONCE,
        slot: bytes = b"\0",
        response: bytes = bytes.fromhex("11600000"),
        count: int | None = None,
        values: Sequence[bytes] | None = None,
        record: bytes | None = None,
        opaque: Sequence[tuple[int, bytes]] | None = None,
        opaque_bytes: bytes | None = None,
    ) -> bytes:
        """Return the part of a transcript that is signed."""
        measured = self.values() if values is None else values
        if record is None:
            record = b"".join(block(n + 1, value) for n, value in enumerate(measured))
        if opaque_bytes is None:
            fields = self.opaque() if opaque is None else opaque
            opaque_bytes = b"".join(
                key.to_bytes(2, "little") + len(value).to_bytes(2, "little") + value
                for key, value in fields
            )
        return b"".join(
            (
                *(request, nonce, slot, response),
                bytes([len(measured) if count is None else count]),
                *(len(record).to_bytes(3, "little"), record, DEVICE_NONCE),
                *(len(opaque_bytes).to_bytes(2, "little"), opaque_bytes),
            )
        )

    def sign(self, body: bytes, role: str = "leaf") -> bytes:
        """Return the signature as SPDM and XML have it."""
        numbers = utils.decode_dss_signature(self.keys[role].sign(body, ec.ECDSA(SHA384())))
        return b"".join(number.to_bytes(48, "big") for number in numbers)

    def transcript(self, *, body: bytes | None = None, **changes: Any) -> bytes:
        """Return a signed transcript."""
        data = self.body(**changes) if body is None else body
        return data + self.sign(data)

    def golden(self, kind: str) -> dict[int, list[bytes]]:
        """Return the golden values that a RIM has: VBIOS the lower half, driver the upper one."""
        half = self.count // 2 if self.generation != "ls10" else self.count
        chosen = range(half) if kind == "vbios" else range(half, self.count)
        values = self.values()
        other = hashlib.sha384(b"another accepted").digest()
        return {index: [other, values[index]] for index in chosen}

    def content(
        self,
        kind: str,
        *,
        version: str | None = None,
        edition: str | None = None,
        golden: Mapping[int, Sequence[bytes]] | None = None,
        resources: str | None = None,
        head: str = ' tagId="tag"',
        parts: str = "",
    ) -> str:
        """Return what a RIM has before it is signed, in canonical form."""
        found = DRIVER if kind == "driver" else VBIOS[self.generation]
        edition = edition or ("SWITCH" if self.generation == "ls10" else "GPU")
        values = self.golden(kind) if golden is None else golden
        if resources is None:
            resources = "".join(resource(index, each) for index, each in values.items())
        return (
            f'<SoftwareIdentity xmlns="{SWID}" xmlns:ns2="{SHA384_NAMES}"{head}>\n'
            '<Entity name="Fake" role="tagCreator"></Entity>'
            f'<Meta colloquialVersion="{version or found}" edition="{edition}"'
            f' product="{self.chip}"></Meta>'
            f"<Payload>{resources}</Payload>{parts}</SoftwareIdentity>"
        )

    def rim(
        self,
        kind: str = "driver",
        *,
        content: str | None = None,
        signed_info: str = SIGNED_INFO,
        role: str = "rim_leaf",
        chain: Sequence[bytes] | None = None,
        key_info: str | None = None,
        signature: str | None = None,
        **changes: Any,
    ) -> bytes:
        """Return golden values, signed."""
        document = self.content(kind, **changes) if content is None else content
        digest = hashlib.sha384(document.encode()).digest()
        inner = signed_info.format(digest=base64.b64encode(digest).decode())
        # In canonical form, an element that stands alone repeats what is declared around it.
        names = f' xmlns="{SWID}" xmlns:ds="{DSIG}" xmlns:ns2="{SHA384_NAMES}"'
        canonical = f"<ds:SignedInfo{names}>{inner}</ds:SignedInfo>"
        value = base64.b64encode(self.sign(canonical.encode(), role)).decode()
        ders = [self.der[each] for each in reversed(RIM)] if chain is None else chain
        certificates = "".join(
            f"<ds:X509Certificate>{wrapped(each)}</ds:X509Certificate>" for each in ders
        )
        if signature is None:
            signature = (
                f'<ds:Signature xmlns:ds="{DSIG}"><ds:SignedInfo>{inner}</ds:SignedInfo>'
                f"<ds:SignatureValue>{value}</ds:SignatureValue>"
                + (
                    key_info
                    or f"<ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo>"
                )
                + "</ds:Signature>"
            )
        end = "</SoftwareIdentity>"
        return (document.removesuffix(end) + signature + end).encode()

    def answer(self, role: str, recipe: Answer | None = None) -> bytes:
        """Return an answer about the certificate of ``role``."""
        made = recipe or Answer()
        chain = DEVICE if role in DEVICE else RIM
        above = chain[chain.index(role) - 1]
        issuer = x509.load_der_x509_certificate(self.der[above])
        responder_recipe = Certificate(
            **{
                "name": f"OCSP Responder of {above}",
                "serial": 77,
                "is_authority": False,
                "signs_documents": True,
                "purpose": ExtendedKeyUsageOID.OCSP_SIGNING,
                **made.responder,
            }
        )
        responder = x509.load_der_x509_certificate(
            self._certificate(responder_recipe, self.recipes[above].name, "responder", above)
        )
        is_revoked = made.status is ocsp.OCSPCertStatus.REVOKED
        signer = issuer if made.is_direct else responder
        encoding = ocsp.OCSPResponderEncoding
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=x509.load_der_x509_certificate(self.der[role]),
                issuer=issuer,
                algorithm=made.names_by,
                cert_status=made.status,
                this_update=made.first,
                next_update=made.last,
                revocation_time=made.first if is_revoked else None,
                revocation_reason=made.reason,
            )
            .responder_id(encoding.NAME if made.named == "name" else encoding.HASH, signer)
        )
        if not made.is_direct:
            builder = builder.certificates([responder])
        for extension in made.extensions:
            builder = builder.add_extension(extension, critical=made.is_critical)
        # The builder signs what is right, and nothing else: signed again, it may be wrong.
        answer = builder.sign(self.keys[above if made.is_direct else "responder"], made.hash)
        body = answer.tbs_response_bytes
        if made.named == "another":
            assert answer.responder_key_hash is not None
            body = body.replace(answer.responder_key_hash, bytes(20))
        body = body.replace(*made.replaced) if made.replaced[0] else body
        role = "other" if made.signed_by_another else above if made.is_direct else "responder"
        signature = self.keys[role].sign(body, ec.ECDSA(made.hash))
        algorithm = der(0x30, der(0x06, _ECDSA + (b"\2" if made.hash.digest_size == 32 else b"\3")))
        certificates = [responder.public_bytes(Encoding.DER)] * (not made.is_direct)
        behind = [der(0xA0, der(0x30, *certificates))] if certificates else []
        basic = der(0x30, body, algorithm, der(0x03, bytes([made.unused_bits]), signature), *behind)
        return der(
            0x30,
            der(0x0A, b"\0"),
            der(0xA0, der(0x30, der(0x06, made.type), der(0x04, basic))),
        )

    def answers(self, **recipes: Answer) -> tuple[bytes, ...]:
        """Return good answers about all that can be revoked, but for those with a recipe."""
        roles = [*DEVICE[1:-1], *RIM[1:]]
        return tuple(self.answer(role, recipes.get(role)) for role in roles)

    def pem(self) -> bytes:
        """Return the device's certificates as the driver gives them, the signer's first."""
        return b"".join(
            b"-----BEGIN CERTIFICATE-----\n"
            + wrapped(each).encode()
            + b"-----END CERTIFICATE-----\n"
            for each in reversed(self.chain)
        )

    def file(self, *, transcript: bytes | None = None, **changes: Any) -> bytes:
        """Return evidence as NVIDIA's tools write it."""
        device = {
            "arch": self.generation.upper(),
            "nonce": NONCE.hex(),
            "evidence": base64.b64encode(transcript or self.transcript()).decode(),
            "certificate": base64.b64encode(self.pem()).decode(),
            **changes,
        }
        return json.dumps([device]).encode()

    def _certificate(self, item: Certificate, issuer: str, role: str, above: str) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(item.name))
            .issuer_name(_name(item.issuer or issuer))
            .public_key(self.keys[role].public_key())
            .serial_number(item.serial)
            .not_valid_before(item.first)
            .not_valid_after(item.last)
            .add_extension(_usage(item), critical=True)
        )
        if item.is_authority:
            basic = x509.BasicConstraints(ca=True, path_length=item.path_length)
            builder = builder.add_extension(basic, critical=True)
        if item.purpose is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([item.purpose]), critical=True)
        for oid, value in item.extensions.items():
            extension = x509.UnrecognizedExtension(ObjectIdentifier(oid), value)
            builder = builder.add_extension(extension, critical=False)
        signer = "other" if item.signed_by_itself else above
        return builder.sign(self.keys[signer], item.hash).public_bytes(Encoding.DER)


def block(index: int, value: bytes, *, kind: int = 1, specification: int = 1) -> bytes:
    """Return a measurement as it stands in a record."""
    inner = bytes([kind]) + len(value).to_bytes(2, "little") + value
    return bytes([index, specification]) + len(inner).to_bytes(2, "little") + inner


def resource(index: int | str, values: Sequence[bytes], **changes: str) -> str:
    """Return a golden value as a RIM has it, in canonical form."""
    attributes = {
        "active": "True",
        "alternatives": str(len(values)),
        "index": str(index),
        "name": f"Measurement_{index}",
        "size": "48",
        "type": "Measurement",
        **changes,
    }
    plain = "".join(f' {key}="{attributes[key]}"' for key in sorted(attributes))
    named = {f"ns2:Hash{n}": value.hex() for n, value in enumerate(values)}
    hashes = "".join(f' {key}="{named[key]}"' for key in sorted(named))
    return f"<Resource{plain}{hashes}></Resource>"


def wrapped(data: bytes) -> str:
    """Return base64 in lines of 64 characters."""
    text = base64.b64encode(data).decode()
    return "".join(f"{text[start : start + 64]}\n" for start in range(0, len(text), 64))


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
        key_agreement=not item.signs_documents and not item.is_authority,
        key_cert_sign=item.is_authority,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
