from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from tests.fakes.intel import AUTHORITY, NOW, PCK, ROOT, SGX_EXTENSION, FakeIntel, extension

from adyton.crypto.chain import (
    CertificateRejectedError,
    CertificateTimeRejectedError,
    RootRejectedError,
)
from adyton.crypto.path import ES256, Path, PathCache, verify_path
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
