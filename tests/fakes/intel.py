"""A fake Intel: a root, its authorities, a platform, a quoting enclave, and a collateral service.

Written without what it tests: certificates and lists are built here, binary tables by offsets, DER
by a few lines of its own. ``FakeIntel`` mints what is right; one changed ``Certificate`` or one
argument makes it wrong in that one way.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
FMSPC = bytes.fromhex("90c06f000000")
PCE_ID = bytes(2)
COMPONENTS = bytes([4, 4, 2, 2, 4, 1, 0, 5]) + bytes(8)
TEE_TCB_SVN = bytes([7, 1, 5]) + bytes(13)
PCE_SVN = 13
SGX_EXTENSION = "1.2.840.113741.1.13.1"
QE_SIGNERS = {
    "sgx": "8c4f5775d796503e96137f77c68a829a0056ac8ded70140b081b094490c57bff",
    "tdx": "dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5",
}
QE_PRODUCTS = {"sgx": 1, "tdx": 2}
VENDOR = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")

Tee = Literal["sgx", "tdx"]

# Where a table has its fields: offset and size.
ENCLAVE_REPORT: Mapping[str, tuple[int, int]] = {
    "cpu_svn": (0, 16),
    "misc_select": (16, 4),
    "reserved_1": (20, 12),
    "isv_ext_prod_id": (32, 16),
    "attributes": (48, 16),
    "mr_enclave": (64, 32),
    "reserved_2": (96, 32),
    "mr_signer": (128, 32),
    "reserved_3": (160, 32),
    "config_id": (192, 64),
    "isv_prod_id": (256, 2),
    "isv_svn": (258, 2),
    "config_svn": (260, 2),
    "reserved_4": (262, 42),
    "isv_family_id": (304, 16),
    "report_data": (320, 64),
}
TD_REPORT: Mapping[str, tuple[int, int]] = {
    "tee_tcb_svn": (0, 16),
    "mr_seam": (16, 48),
    "mr_signer_seam": (64, 48),
    "seam_attributes": (112, 8),
    "td_attributes": (120, 8),
    "xfam": (128, 8),
    "mr_td": (136, 48),
    "mr_config_id": (184, 48),
    "mr_owner": (232, 48),
    "mr_owner_config": (280, 48),
    "rtmr0": (328, 48),
    "rtmr1": (376, 48),
    "rtmr2": (424, 48),
    "rtmr3": (472, 48),
    "report_data": (520, 64),
    "tee_tcb_svn2": (584, 16),
    "mr_service_td": (600, 48),
}


def table(fields: Mapping[str, tuple[int, int]], size: int, values: Mapping[str, bytes]) -> bytes:
    """Return a table with these fields; the others are zero."""
    data = bytearray(size)
    for name, value in values.items():
        offset, length = fields[name]
        assert len(value) == length, name
        data[offset : offset + length] = value
    return bytes(data)


def enclave_report(**values: bytes) -> bytes:
    """Return an enclave's report: initialised, 64-bit, and not for debugging."""
    good = {
        "cpu_svn": COMPONENTS,
        "attributes": bytes([0x05]) + bytes(7) + bytes([0x07]) + bytes(7),
        "mr_enclave": hashlib.sha256(b"enclave").digest(),
        "mr_signer": hashlib.sha256(b"signer").digest(),
        "isv_prod_id": (7).to_bytes(2, "little"),
        "isv_svn": (3).to_bytes(2, "little"),
        "report_data": hashlib.sha512(b"report data").digest(),
    }
    return table(ENCLAVE_REPORT, 384, {**good, **values})


def td_report(*, size: int = 584, **values: bytes) -> bytes:
    """Return a TD's report, of TDX 1.0 or (with 648 bytes) 1.5."""
    good = {
        "tee_tcb_svn": TEE_TCB_SVN,
        "mr_seam": hashlib.sha384(b"module").digest(),
        "td_attributes": (1 << 28).to_bytes(8, "little"),
        "xfam": bytes.fromhex("e702060000000000"),
        "mr_td": hashlib.sha384(b"td").digest(),
        **{f"rtmr{n}": hashlib.sha384(b"rtmr%d" % n).digest() for n in range(4)},
        "report_data": hashlib.sha512(b"report data").digest(),
    }
    if size == 648:
        good["tee_tcb_svn2"] = TEE_TCB_SVN
    return table(TD_REPORT, size, {**good, **values})


def der(tag: int, *content: bytes) -> bytes:
    """Return an element with its length in the shortest form."""
    body = b"".join(content)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 + size]) + len(body).to_bytes(size, "big") + body


def integer(value: int, tag: int = 0x02) -> bytes:
    return der(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def pair(number: Sequence[int], value: bytes) -> bytes:
    """Return a pair of the extension: the last numbers of its identifier, and its value."""
    prefix = bytes.fromhex("2a864886f84d010d01")
    return der(0x30, der(0x06, prefix, bytes(number)), value)


def tcb_pairs(components: bytes = COMPONENTS, pce_svn: int = PCE_SVN) -> list[bytes]:
    return [
        *(pair([2, n + 1], integer(svn)) for n, svn in enumerate(components)),
        pair([2, 17], integer(pce_svn)),
        pair([2, 18], der(0x04, components)),
    ]


def extension_pairs(**changes: bytes) -> dict[str, bytes]:
    """Return the pairs of a scalable platform's extension by name; a change replaces a pair."""
    return {
        "ppid": pair([1], der(0x04, b"platform 16 byte")),
        "tcb": pair([2], der(0x30, *tcb_pairs())),
        "pce_id": pair([3], der(0x04, PCE_ID)),
        "fmspc": pair([4], der(0x04, FMSPC)),
        "type": pair([5], integer(1, tag=0x0A)),
        "instance": pair([6], der(0x04, b"instance 16 byte")),
        "configuration": pair(
            [7], der(0x30, *(pair([7, n], der(0x01, b"\xff")) for n in (1, 2, 3)))
        ),
        **changes,
    }


def extension(**changes: bytes) -> bytes:
    """Return Intel's extension of a PCK certificate."""
    return der(0x30, *extension_pairs(**changes).values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """How one certificate is made. ``None`` for an extension leaves it out."""

    name: str
    first: datetime = NOW - timedelta(days=365)
    last: datetime = NOW + timedelta(days=7 * 365)
    is_authority: bool | None = True
    path_length: int | None = None
    basic_is_critical: bool = True
    signs_certificates: bool = True
    signs_lists: bool = True
    signs_documents: bool = False
    issuer: str | None = None
    curve: ec.EllipticCurve = field(default_factory=ec.SECP256R1)
    hash: SHA256 | SHA384 = field(default_factory=SHA256)
    unknown_critical: bool = False
    signed_by_itself: bool = False
    extension: bytes | None = None


ROOT = Certificate(name="Intel SGX Root CA", path_length=1)
AUTHORITY = Certificate(name="Intel SGX PCK Platform CA", path_length=0)
PCK = Certificate(
    name="Intel SGX PCK Certificate",
    is_authority=False,
    signs_certificates=False,
    signs_lists=False,
    signs_documents=True,
    extension=extension(),
)
TCB_SIGNER = replace(PCK, name="Intel SGX TCB Signing", extension=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class List:
    """How a revocation list is made. ``issuer`` is a name; the signer's own unless told."""

    revoked: tuple[int, ...] = ()
    first: datetime = NOW - timedelta(days=10)
    last: datetime = NOW + timedelta(days=20)
    issuer: str | None = None
    unknown_critical: bool = False
    hash: SHA256 | SHA384 = field(default_factory=SHA256)


class FakeIntel:
    """A vendor with its keys, one platform, and everything that they sign."""

    def __init__(
        self,
        *,
        root: Certificate = ROOT,
        authority: Certificate = AUTHORITY,
        pck: Certificate = PCK,
        tcb_signer: Certificate = TCB_SIGNER,
    ) -> None:
        recipes = {"root": root, "authority": authority, "pck": pck, "tcb_signer": tcb_signer}
        issuers = {"root": "root", "authority": "root", "pck": "authority", "tcb_signer": "root"}
        self.recipes = recipes
        self.keys = {name: ec.generate_private_key(item.curve) for name, item in recipes.items()}
        self.keys["attestation"] = ec.generate_private_key(ec.SECP256R1())
        self.certificates: dict[str, x509.Certificate] = {}
        for name, item in recipes.items():
            issuer = issuers[name]
            signer = self.keys[name if item.signed_by_itself else issuer]
            self.certificates[name] = certificate(
                item, item.issuer or recipes[issuer].name, self.keys[name], signer
            )

    @property
    def roots(self) -> dict[str, bytes]:
        """What a verifier that trusts this vendor is given."""
        return {"fake": hashlib.sha256(self.der("root")).digest()}

    def der(self, name: str) -> bytes:
        return self.certificates[name].public_bytes(Encoding.DER)

    def serial(self, name: str) -> int:
        return self.certificates[name].serial_number

    def pem(self, *names: str) -> str:
        """Return certificates one after the other."""
        return "".join(
            self.certificates[name].public_bytes(Encoding.PEM).decode() for name in names
        )

    def point(self, name: str = "attestation") -> bytes:
        """Return the coordinates of a public key."""
        numbers = self.keys[name].public_key().public_numbers()
        return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")

    def sign(self, name: str, message: bytes) -> bytes:
        """Return r and s of a signature with SHA-256."""
        r, s = utils.decode_dss_signature(self.keys[name].sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    # Quotes

    def qe_report(self, tee: Tee, authentication_data: bytes, **values: bytes) -> bytes:
        """Return the report of Intel's quoting enclave over the attestation key."""
        bound = hashlib.sha256(self.point() + authentication_data).digest()
        good = {
            "mr_signer": bytes.fromhex(QE_SIGNERS[tee]),
            "attributes": bytes([0x15]) + bytes(7) + bytes([0xE7]) + bytes(7),
            "isv_prod_id": QE_PRODUCTS[tee].to_bytes(2, "little"),
            "isv_svn": (8).to_bytes(2, "little"),
            "report_data": bound + bytes(32),
        }
        return enclave_report(**{**good, **values})

    def quote(
        self,
        tee: Tee = "tdx",
        *,
        version: int = 4,
        tee_type: int | None = None,
        key_type: int = 2,
        vendor: bytes = VENDOR,
        body: bytes | None = None,
        body_type: int | None = None,
        body_size: int | None = None,
        attestation_key: bytes | None = None,
        authentication_data: bytes = bytes(range(32)),
        qe_report: Mapping[str, bytes] | None = None,
        qe_signer: str = "pck",
        signer: str = "attestation",
        certification_type: int = 5,
        outer_type: int = 6,
        chain: bytes | None = None,
        signed: bytes | None = None,
        tail: bytes = b"",
        inner_tail: bytes = b"",
    ) -> bytes:
        """Return a signed quote. Everything that is given is signed, unless nothing signs it."""
        kind = {"sgx": 0, "tdx": 0x81}[tee] if tee_type is None else tee_type
        if body is None:
            size = 648 if version == 5 and (body_type or 3) == 3 else 584
            body = enclave_report() if tee == "sgx" else td_report(size=size)
        header = (
            version.to_bytes(2, "little")
            + key_type.to_bytes(2, "little")
            + kind.to_bytes(4, "little")
            + bytes(4)
            + vendor
            + b"user data 20 bytes.."
        )
        if version == 5:
            found = body_type or {384: 1, 584: 2, 648: 3}[len(body)]
            length = len(body) if body_size is None else body_size
            header += found.to_bytes(2, "little") + length.to_bytes(4, "little")
        report = self.qe_report(tee, authentication_data, **(qe_report or {}))
        inner = (
            report
            + self.sign(qe_signer, report)
            + len(authentication_data).to_bytes(2, "little")
            + authentication_data
            + certification(
                certification_type,
                self.pem("pck", "authority", "root").encode() if chain is None else chain,
            )
            + inner_tail
        )
        data = (
            self.sign(signer, header + body if signed is None else signed)
            + (self.point() if attestation_key is None else attestation_key)
            + (inner if version == 3 else certification(outer_type, inner))
        )
        return header + body + len(data).to_bytes(4, "little") + data + tail

    # Collateral

    def tcb_info(self, tee: Tee = "tdx", **changes: Any) -> str:
        """Return the text that Intel signs; a change to ``...`` leaves a field out."""
        record: dict[str, Any] = {
            "id": tee.upper(),
            "version": 3,
            "issueDate": "2026-11-10T12:00:00Z",
            "nextUpdate": "2026-12-10T12:00:00Z",
            "fmspc": FMSPC.hex().upper(),
            "pceId": PCE_ID.hex(),
            "tcbType": 0,
            "tcbEvaluationDataNumber": 20,
            "tcbLevels": [
                level(tee),
                level(tee, sgx={0: 3}, date="2025-01-01", status="OutOfDate", why=["INTEL-SA-1"]),
            ],
        }
        if tee == "tdx":
            identity = {
                "mrsigner": "00" * 48,
                "attributes": "00" * 8,
                "attributesMask": "FF" * 8,
            }
            record["tdxModule"] = identity
            record["tdxModuleIdentities"] = [
                {"id": "TDX_01", **identity, "tcbLevels": svn_levels(7, 5)},
                {"id": "TDX_03", **identity, "tcbLevels": svn_levels(2)},
            ]
        record.update(changes)
        return json.dumps({name: item for name, item in record.items() if item is not ...})

    def qe_identity(self, tee: Tee = "tdx", **changes: Any) -> str:
        """Return the text that Intel signs; a change to ``...`` leaves a field out."""
        record: dict[str, Any] = {
            "id": {"sgx": "QE", "tdx": "TD_QE"}[tee],
            "version": 2,
            "issueDate": "2026-11-10T12:00:00Z",
            "nextUpdate": "2026-12-10T12:00:00Z",
            "tcbEvaluationDataNumber": 20,
            "miscselect": "00000000",
            "miscselectMask": "FFFFFFFF",
            "attributes": "11000000000000000000000000000000",
            "attributesMask": "FBFFFFFFFFFFFFFF0000000000000000",
            "mrsigner": QE_SIGNERS[tee].upper(),
            "isvprodid": QE_PRODUCTS[tee],
            "tcbLevels": svn_levels(8, 6),
            **changes,
        }
        return json.dumps({name: item for name, item in record.items() if item is not ...})

    def crl(self, signer: str, recipe: List | None = None) -> bytes:
        """Return a revocation list."""
        made = List() if recipe is None else recipe
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(name_of(made.issuer or self.recipes[signer].name))
            .last_update(made.first)
            .next_update(made.last)
            .add_extension(x509.CRLNumber(1), critical=made.unknown_critical)
        )
        for serial in made.revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(serial)
                .revocation_date(made.first)
                .build()
            )
        return builder.sign(self.keys[signer], made.hash).public_bytes(Encoding.DER)

    def collateral(
        self,
        tee: Tee = "tdx",
        *,
        info: Mapping[str, Any] | None = None,
        identity: Mapping[str, Any] | None = None,
        root_list: List | None = None,
        pck_list: List | None = None,
        **changes: Any,
    ) -> bytes:
        """Return a file of collateral.

        Texts and lists are signed as told; what ``changes`` puts into the file is as it is.
        """
        tcb_info = self.tcb_info(tee, **(info or {}))
        qe_identity = self.qe_identity(tee, **(identity or {}))
        record: dict[str, Any] = {
            "pck_crl_issuer_chain": self.pem("authority", "root"),
            "root_ca_crl": self.crl("root", root_list).hex(),
            "pck_crl": self.crl("authority", pck_list).hex(),
            "tcb_info_issuer_chain": self.pem("tcb_signer", "root"),
            "tcb_info": tcb_info,
            "tcb_info_signature": self.sign("tcb_signer", tcb_info.encode()).hex(),
            "qe_identity_issuer_chain": self.pem("tcb_signer", "root"),
            "qe_identity": qe_identity,
            "qe_identity_signature": self.sign("tcb_signer", qe_identity.encode()).hex(),
            **changes,
        }
        return json.dumps({name: item for name, item in record.items() if item is not ...}).encode()


def certification(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2, "little") + len(data).to_bytes(4, "little") + data


def level(
    tee: Tee,
    *,
    sgx: Mapping[int, int] | None = None,
    tdx: Mapping[int, int] | None = None,
    pce_svn: int = PCE_SVN,
    date: str = "2026-03-01",
    status: str = "UpToDate",
    why: Sequence[str] = (),
) -> dict[str, Any]:
    """Return a TCB level of the platform's own versions, with some of them changed."""
    own = {"sgx": dict(enumerate(COMPONENTS)), "tdx": dict(enumerate(TEE_TCB_SVN))}
    kinds = {0: "Early Microcode Update", 2: "TDX Late Microcode Update"}

    def components(kind: str, changes: Mapping[int, int] | None) -> list[dict[str, Any]]:
        svns = {**own[kind], **(changes or {})}
        return [{"svn": svns[n]} | ({"type": kinds[n]} if n in kinds else {}) for n in range(16)]

    tcb: dict[str, Any] = {"sgxtcbcomponents": components("sgx", sgx), "pcesvn": pce_svn}
    if tee == "tdx":
        tcb["tdxtcbcomponents"] = components("tdx", tdx)
    return outcome(tcb, date, status, why)


def svn_levels(newest: int, *older: int) -> list[dict[str, Any]]:
    """Return levels of something with one version: the newest up to date, the others not."""
    return [
        outcome({"isvsvn": newest}, "2026-03-01", "UpToDate", ()),
        *(
            outcome({"isvsvn": svn}, "2024-01-01", "OutOfDate", [f"INTEL-SA-{svn}"])
            for svn in older
        ),
    ]


def outcome(tcb: dict[str, Any], date: str, status: str, why: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"tcb": tcb, "tcbDate": f"{date}T00:00:00Z", "tcbStatus": status}
    return {**found, "advisoryIDs": list(why)} if why else found


def certificate(
    item: Certificate,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name_of(item.name))
        .issuer_name(name_of(issuer))
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
    if item.signs_certificates or item.signs_lists or item.signs_documents:
        builder = builder.add_extension(usage(item), critical=True)
    if item.unknown_critical:
        unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
        builder = builder.add_extension(unknown, critical=True)
    if item.extension is not None:
        sgx = x509.UnrecognizedExtension(ObjectIdentifier(SGX_EXTENSION), item.extension)
        builder = builder.add_extension(sgx, critical=False)
    return builder.sign(signer, item.hash)


def name_of(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Fake"),
        ]
    )


def usage(item: Certificate) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=item.signs_documents,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=item.signs_certificates,
        crl_sign=item.signs_lists,
        encipher_only=False,
        decipher_only=False,
    )
