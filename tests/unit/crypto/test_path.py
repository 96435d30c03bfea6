from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.fakes.intel import (
    AUTHORITY,
    NOW,
    PCK,
    ROOT,
    SGX_EXTENSION,
    FakeIntel,
    der,
    extension,
    integer,
    usage,
)

from adyton.crypto.ecdsa import ECDSA_WITH_SHA256
from adyton.crypto.path import (
    CertificateRejectedError,
    CertificateTimeRejectedError,
    Path,
    PathCache,
    RootRejectedError,
    verify_path,
)
from adyton.crypto.suites import ES256
from adyton.errors import AdytonError, MalformedError

VENDOR = FakeIntel()
NAMES = ("root", "authority", "pck")


def path_of(vendor: FakeIntel, *, cache: PathCache | None = None, names: Any = NAMES) -> Path:
    chain = [vendor.der(name) for name in names]
    return verify_path(chain, roots=vendor.roots, suite=ES256, cache=cache)


def test_a_good_path_gives_what_is_in_it() -> None:
    path = path_of(VENDOR)
    assert path.root == "fake"
    assert path.root_sha256 == VENDOR.roots["fake"]
    assert [item.common_name for item in path.certificates] == [
        ROOT.name,
        AUTHORITY.name,
        PCK.name,
    ]
    assert [item.serial for item in path.certificates] == [VENDOR.serial(name) for name in NAMES]
    assert [item.signs_crls for item in path.certificates] == [True, True, False]
    assert path.leaf.extensions == {SGX_EXTENSION: extension()}
    assert (path.first, path.last) == (PCK.first, PCK.last)
    assert path.certificates[1].public_key_info != path.leaf.public_key_info
    path.check_valid(NOW)


def test_a_path_to_an_authority_ends_in_one() -> None:
    chain = [VENDOR.der("root"), VENDOR.der("authority")]
    path = verify_path(chain, roots=VENDOR.roots, suite=ES256, to_authority=True)
    assert path.leaf.common_name == AUTHORITY.name
    with pytest.raises(CertificateRejectedError, match="stands where a signer's should"):
        verify_path(chain, roots=VENDOR.roots, suite=ES256)
    with pytest.raises(CertificateRejectedError, match="is not an authority's"):
        verify_path(
            [VENDOR.der("root"), VENDOR.der("tcb_signer")],
            roots=VENDOR.roots,
            suite=ES256,
            to_authority=True,
        )


def make(**recipes: Any) -> Callable[[], FakeIntel]:
    return lambda: FakeIntel(**recipes)


@pytest.mark.parametrize(
    ("vendor", "reason"),
    [
        # Step 2
        (make(authority=replace(AUTHORITY, signed_by_itself=True)), "not signed by the one before"),
        (make(pck=replace(PCK, signed_by_itself=True)), "not signed by the one before"),
        (make(pck=replace(PCK, issuer="Another")), "not issued in the name of the one before"),
        (make(pck=replace(PCK, hash=SHA384())), "not signed with ecdsa and sha-256"),
        # Step 3
        (make(authority=replace(AUTHORITY, is_authority=None)), "not an authority's"),
        (make(authority=replace(AUTHORITY, is_authority=False, path_length=None)), "not an auth"),
        (make(authority=replace(AUTHORITY, basic_is_critical=False)), "that are not critical"),
        (make(authority=replace(AUTHORITY, signs_certificates=False)), "not for signing cert"),
        # Step 4
        (make(root=replace(ROOT, path_length=0)), "one authority more than the path length"),
        # Step 5
        (make(pck=replace(PCK, is_authority=True)), "stands where a signer's should"),
        (make(pck=replace(PCK, signs_documents=False, signs_lists=True)), "not for signatures"),
        (make(pck=replace(PCK, signs_documents=False)), "not for signatures"),
        # Step 6
        (make(authority=replace(AUTHORITY, unknown_critical=True)), "critical extension that is"),
        (make(pck=replace(PCK, unknown_critical=True)), "critical extension that is"),
    ],
)
def test_each_broken_certificate_is_refused(vendor: Callable[[], FakeIntel], reason: str) -> None:
    with pytest.raises(CertificateRejectedError, match=reason):
        path_of(vendor())


def test_a_key_of_another_curve_is_malformed() -> None:
    with pytest.raises(MalformedError, match="not a p-256 key"):
        path_of(FakeIntel(pck=replace(PCK, curve=ec.SECP384R1())))


def test_another_root_is_refused_whatever_its_name() -> None:
    other = FakeIntel()
    with pytest.raises(RootRejectedError):
        verify_path(
            [other.der(name) for name in NAMES], roots={"fake": VENDOR.roots["fake"]}, suite=ES256
        )


def test_a_limit_of_the_path_length_is_handed_down() -> None:
    path = path_of(FakeIntel(root=replace(ROOT, path_length=None)))
    assert [item.below for item in path.certificates] == [None, 0, 0]
    path = path_of(
        FakeIntel(root=replace(ROOT, path_length=3), authority=replace(AUTHORITY, path_length=None))
    )
    assert [item.below for item in path.certificates] == [3, 2, 0]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_path_is_valid_only_while_all_of_it_is(position: int) -> None:
    recipes = dict(zip(("root", "authority", "pck"), (ROOT, AUTHORITY, PCK), strict=True))
    name = ("root", "authority", "pck")[position]
    expired: Any = {name: replace(recipes[name], last=NOW - timedelta(seconds=1))}
    with pytest.raises(CertificateTimeRejectedError) as caught:
        path_of(FakeIntel(**expired)).check_valid(NOW)
    assert caught.value.position == position
    early: Any = {name: replace(recipes[name], first=NOW + timedelta(seconds=1))}
    with pytest.raises(CertificateTimeRejectedError):
        path_of(FakeIntel(**early)).check_valid(NOW)


@pytest.mark.parametrize("broken", [b"", b"\x30\x00", b"\x30\x80\x00\x00", b"not a certificate"])
def test_what_is_no_certificate_is_malformed(broken: bytes) -> None:
    with pytest.raises(MalformedError):
        verify_path([VENDOR.der("root"), broken], roots=VENDOR.roots, suite=ES256)


def test_a_cache_changes_nothing_and_forgets_what_is_too_much() -> None:
    cache = PathCache(limit=2)
    assert path_of(VENDOR, cache=cache) == path_of(VENDOR, cache=cache) == path_of(VENDOR)
    assert len(cache._found) == 2


def test_a_cached_certificate_is_another_under_another_root_and_in_another_role() -> None:
    cache = PathCache()
    path_of(VENDOR, cache=cache)
    other = FakeIntel()
    with pytest.raises(AdytonError):
        verify_path(
            [other.der("root"), VENDOR.der("authority"), VENDOR.der("pck")],
            roots=other.roots,
            suite=ES256,
            cache=cache,
        )
    with pytest.raises(CertificateRejectedError, match="stands where a signer's should"):
        verify_path(
            [VENDOR.der("root"), VENDOR.der("authority")],
            roots=VENDOR.roots,
            suite=ES256,
            cache=cache,
        )


def rebuilt(name: str, old: bytes, new: bytes, *, issuer: str = "authority") -> bytes:
    """Return a certificate with a change in the part that is signed, signed again."""
    certificate = VENDOR.certificates[name]
    body = certificate.tbs_certificate_bytes
    assert body.count(old) == 1
    # Behind tag and length, which are written again.
    body = der(0x30, body[4:].replace(old, new))
    signature = VENDOR.keys[issuer].sign(body, ec.ECDSA(SHA256()))
    return der(0x30, body, ECDSA_WITH_SHA256, der(0x03, b"\0", signature))


def serial_number(value: bytes) -> bytes:
    return bytes([0x02, len(value)]) + value


SERIAL = VENDOR.serial("pck").to_bytes(20, "big")


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (rebuilt("pck", b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x00"), "x.509|version 3"),
        (rebuilt("pck", b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05"), "version 3"),
        (
            rebuilt("pck", serial_number(SERIAL), serial_number(b"\x80" + SERIAL[1:])),
            "serial number that is not positive",
        ),
        # Key usage where basic constraints were: twice the same.
        (rebuilt("pck", b"\x06\x03\x55\x1d\x13", b"\x06\x03\x55\x1d\x0f"), "2.5.29.15 twice"),
        (VENDOR.der("pck") + b"\0", "not der|middle of an element"),
    ],
    ids=["version 1", "version 6", "negative serial", "duplicate extension", "trailing"],
)
def test_what_is_signed_and_still_no_certificate_is_malformed(broken: bytes, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        verify_path(
            [VENDOR.der("root"), VENDOR.der("authority"), broken], roots=VENDOR.roots, suite=ES256
        )


def test_a_certificate_of_version_1_is_malformed() -> None:
    # No version is written, and there is nothing that could say what the key is for.
    certificate = VENDOR.certificates["pck"]
    body = der(
        0x30,
        integer(1),
        ECDSA_WITH_SHA256,
        certificate.issuer.public_bytes(),
        der(0x30, der(0x17, b"261110120000Z"), der(0x17, b"261210120000Z")),
        certificate.subject.public_bytes(),
        certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )
    signature = VENDOR.keys["authority"].sign(body, ec.ECDSA(SHA256()))
    made = der(0x30, body, ECDSA_WITH_SHA256, der(0x03, b"\0", signature))
    with pytest.raises(MalformedError, match="not of version 3"):
        verify_path(
            [VENDOR.der("root"), VENDOR.der("authority"), made], roots=VENDOR.roots, suite=ES256
        )


def test_a_signature_with_unused_bits_is_malformed() -> None:
    good = VENDOR.der("pck")
    signature = VENDOR.certificates["pck"].signature
    start = good.rindex(signature)
    assert good[start - 1] == 0
    broken = good[: start - 1] + b"\1" + good[start:]
    with pytest.raises(MalformedError, match="not whole bytes"):
        verify_path(
            [VENDOR.der("root"), VENDOR.der("authority"), broken], roots=VENDOR.roots, suite=ES256
        )


def test_other_extensions_are_passed_over() -> None:
    builder = x509.CertificateBuilder()
    key = VENDOR.keys["pck"].public_key()
    builder = (
        builder.subject_name(x509.Name([]))
        .issuer_name(VENDOR.certificates["authority"].subject)
        .public_key(key)
        .serial_number(1)
        .not_valid_before(PCK.first)
        .not_valid_after(PCK.last)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(usage(PCK), critical=True)
    )
    made = builder.sign(VENDOR.keys["authority"], SHA256()).public_bytes(Encoding.DER)
    path = verify_path(
        [VENDOR.der("root"), VENDOR.der("authority"), made], roots=VENDOR.roots, suite=ES256
    )
    # Nobody is called anything, and nobody's authority.
    identifier = x509.SubjectKeyIdentifier.from_public_key(key).digest
    assert path.leaf.common_name == ""
    assert path.leaf.extensions == {"2.5.29.14": der(0x04, identifier)}


def attribute(tag: int, value: bytes, *, identifier: bytes = b"\x55\x04\x03") -> bytes:
    return der(0x31, der(0x30, der(0x06, identifier), der(tag, value)))


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        (attribute(0x0C, "Ünïted".encode()), "Ünïted"),
        (
            attribute(0x13, b"printable") + attribute(0x0C, b"O", identifier=b"\x55\x04\x0a"),
            "printable",
        ),
        # What a library warns about, or has an error of its own for.
        (attribute(0x0C, b"longer", identifier=b"\x55\x04\x06"), ""),
        (attribute(0x03, b"\0bits", identifier=b"\x55\x04\x0b"), ""),
        (attribute(0x1E, b"\0b\0m\0p"), ""),
        (attribute(0x0C, b"one") + attribute(0x0C, b"two"), ""),
        (attribute(0x0C, b"\xff"), None),
        (der(0x31, der(0x30, der(0x06, b"\x55\x04\x03"))), None),
        (der(0x30, der(0x30, der(0x06, b"\x55\x04\x03"), der(0x0C, b"a"))), None),
    ],
    ids=["utf-8", "printable", "long", "bits", "bmp", "two", "not utf-8", "no value", "no set"],
)
def test_a_name_is_read_whatever_is_in_it(attributes: bytes, name: str | None) -> None:
    subject = x509.load_der_x509_certificate(VENDOR.der("pck")).subject.public_bytes()
    made = rebuilt("pck", subject, der(0x30, attributes))
    chain = [VENDOR.der("root"), VENDOR.der("authority"), made]
    if name is None:
        with pytest.raises(MalformedError, match=r"name"):
            verify_path(chain, roots=VENDOR.roots, suite=ES256)
        return
    assert verify_path(chain, roots=VENDOR.roots, suite=ES256).leaf.common_name == name
