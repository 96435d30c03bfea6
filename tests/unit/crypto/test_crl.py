from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from tests.fakes.intel import AUTHORITY, NOW, FakeIntel, List, der, integer

from adyton.crypto.crl import CertificateRevokedError, CrlRejectedError, verify_crl
from adyton.crypto.ecdsa import ECDSA_WITH_SHA256
from adyton.crypto.path import Certificate, verify_path
from adyton.crypto.suites import ES256
from adyton.errors import AdytonError, MalformedError

VENDOR = FakeIntel()


def certificates(vendor: FakeIntel = VENDOR) -> tuple[Certificate, ...]:
    chain = [vendor.der(name) for name in ("root", "authority", "pck")]
    return verify_path(chain, roots=vendor.roots, suite=ES256).certificates


_, ISSUER, LEAF = certificates()


def test_a_good_list_revokes_what_it_has() -> None:
    crl = verify_crl(VENDOR.crl("authority"), issuer=ISSUER, suite=ES256, where="the list")
    assert (crl.first, crl.last) == (NOW - timedelta(days=10), NOW + timedelta(days=20))
    crl.check_not_revoked(LEAF, where="the leaf")
    revoking = VENDOR.crl("authority", List(revoked=(1, LEAF.serial)))
    with pytest.raises(CertificateRevokedError, match=f"{LEAF.serial:x}") as caught:
        verify_crl(revoking, issuer=ISSUER, suite=ES256, where="the list").check_not_revoked(
            LEAF, where="the leaf"
        )
    assert caught.value.serial == LEAF.serial


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (VENDOR.crl("authority", List(hash=SHA384())), "not signed with ecdsa and sha-256"),
        (VENDOR.crl("authority", List(issuer="Another")), "not in the name of the authority"),
        (VENDOR.crl("root", List(issuer=AUTHORITY.name)), "not signed by the authority"),
        (VENDOR.crl("authority", List(unknown_critical=True)), "has a critical extension"),
    ],
    ids=["algorithm", "name", "signature", "critical"],
)
def test_each_broken_list_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(CrlRejectedError, match=reason):
        verify_crl(data, issuer=ISSUER, suite=ES256, where="the list")


def test_a_list_of_an_authority_that_may_sign_none_is_refused() -> None:
    vendor = FakeIntel(authority=replace(AUTHORITY, signs_lists=False))
    _, issuer, _ = certificates(vendor)
    with pytest.raises(CrlRejectedError, match="may not sign lists"):
        verify_crl(vendor.crl("authority"), issuer=issuer, suite=ES256, where="the list")


def test_what_is_no_list_is_malformed() -> None:
    good = VENDOR.crl("authority")
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    version_1 = der(0x30, der(0x30, integer(0)), algorithm, der(0x03, b"\0"))
    no_list = der(0x30, der(0x30, integer(1), algorithm, der(0x30)), algorithm, der(0x03, b"\0"))
    for data in (b"", good[:-1], good + b"\0", version_1, no_list):
        with pytest.raises(MalformedError):
            verify_crl(data, issuer=ISSUER, suite=ES256, where="the list")


def test_no_flipped_bit_of_a_list_is_accepted() -> None:
    good = VENDOR.crl("authority", List(revoked=(LEAF.serial,)))
    for bit in range(8 * len(good)):
        changed = bytearray(good)
        changed[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(AdytonError):
            verify_crl(bytes(changed), issuer=ISSUER, suite=ES256, where="the list")


LAST = der(0x17, b"261210120000Z")
TWICE = der(0x30, der(0x06, b"\x55\x1d\x14"), der(0x04, integer(1)))
GARBAGE = der(0x30, der(0x06, b"\x55\x1d\x23"), der(0x04, b"\x30\x01\x01"))


@pytest.mark.parametrize(
    "rest",
    [
        (),
        (der(0x17, b"261310120000Z"),),
        (LAST, der(0x30, der(0x30, der(0x02, b"\0\1"), LAST))),
        (LAST, der(0x30, der(0x30, der(0x05)))),
        (LAST, der(0x30, b"\x30\x7f")),
        (LAST, der(0xA0, der(0x30, TWICE, TWICE))),
        (LAST, der(0xA0, der(0x30, GARBAGE))),
    ],
    ids=["no last", "no time", "serial", "entry", "cut", "extension twice", "extension"],
)
def test_what_is_signed_and_cannot_be_read_is_malformed(rest: tuple[bytes, ...]) -> None:
    name = VENDOR.certificates["authority"].subject.public_bytes()
    first = der(0x17, b"261110120000Z")
    body = der(0x30, integer(1), ECDSA_WITH_SHA256, name, first, *rest)
    signature = VENDOR.keys["authority"].sign(body, ec.ECDSA(SHA256()))
    data = der(0x30, body, ECDSA_WITH_SHA256, der(0x03, b"\0", signature))
    with pytest.raises(MalformedError):
        verify_crl(data, issuer=ISSUER, suite=ES256, where="the list")
