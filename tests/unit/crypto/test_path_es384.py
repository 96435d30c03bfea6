import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from tests.fakes.nitro import CHAIN, NOW, Certificate, FakeNitro, changed

from adyton.crypto import path as module
from adyton.crypto.path import (
    CertificateRejectedError,
    CertificateTimeRejectedError,
    Path,
    PathCache,
    RootRejectedError,
    verify_path,
)
from adyton.crypto.signing import SignatureRejectedError
from adyton.crypto.suites import ES384
from adyton.errors import AdytonError, MalformedError, RejectedError

ROOT, REGION, ZONE, INSTANCE, LEAF = range(5)


def verify(
    vendor: FakeNitro, *, at: datetime = NOW, cache: PathCache | None = None, **changes: Any
) -> Path:
    arguments: dict[str, Any] = {"certificates": vendor.chain, "roots": vendor.roots, **changes}
    path = verify_path(
        arguments["certificates"], roots=arguments["roots"], suite=ES384, cache=cache
    )
    path.check_valid(at)
    return path


def test_a_good_chain_gives_the_last_key_and_the_common_validity() -> None:
    vendor = FakeNitro()
    chain = verify(vendor)
    chain.leaf.key.check(b"message", vendor.sign(b"message"), domain="a test")
    assert chain.root == "fake"
    assert chain.root_sha256 == vendor.root_sha256
    assert (chain.first, chain.last) == (CHAIN[LEAF].first, CHAIN[LEAF].last)


def test_the_key_refuses_what_it_did_not_sign() -> None:
    vendor = FakeNitro()
    with pytest.raises(SignatureRejectedError):
        verify(vendor).leaf.key.check(b"other", vendor.sign(b"message"), domain="a test")


def test_a_root_and_a_signer_are_a_chain() -> None:
    verify(FakeNitro((CHAIN[ROOT], CHAIN[LEAF])))


# Step 1


def test_a_root_that_is_not_named_is_refused() -> None:
    with pytest.raises(RootRejectedError) as refused:
        verify(FakeNitro(), roots=FakeNitro().roots)
    assert refused.value.code == "root-rejected"


def test_a_trusted_root_further_down_does_not_help() -> None:
    vendor = FakeNitro()
    with pytest.raises(RootRejectedError):
        verify(vendor, certificates=vendor.chain[1:])


def test_no_roots_trust_nothing() -> None:
    with pytest.raises(RootRejectedError):
        verify(FakeNitro(), roots={})


# Steps 2 to 6: one certificate made differently


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        pytest.param(changed(ZONE, signed_by_itself=True), "2 .* not signed by", id="2: signer"),
        pytest.param(changed(LEAF, signed_by_itself=True), "4 .* not signed by", id="2: leaf"),
        pytest.param(changed(ZONE, issuer="else"), "2 .* in the name of", id="2: issuer's name"),
        pytest.param(changed(LEAF, hash=SHA256()), "4 .* ecdsa and sha-384", id="2: hash"),
        pytest.param(changed(REGION, hash=SHA256()), "1 .* ecdsa and sha-384", id="2: hash above"),
        pytest.param(
            changed(INSTANCE, is_authority=False, path_length=None),
            "3 .* not an authority",
            id="3: basic constraints",
        ),
        pytest.param(
            changed(INSTANCE, is_authority=None), "3 .* not an authority", id="3: none at all"
        ),
        pytest.param(
            changed(INSTANCE, basic_is_critical=False), "3 .* not critical", id="3: not critical"
        ),
        pytest.param(
            changed(ROOT, is_authority=False), "0 .* not an authority", id="3: of the root"
        ),
        pytest.param(
            changed(ZONE, signs_certificates=False, signs_documents=True),
            "2 .* not for signing certificates",
            id="3: key usage",
        ),
        pytest.param(
            changed(ZONE, signs_certificates=None),
            "2 .* not for signing certificates",
            id="3: no key usage",
        ),
        pytest.param(changed(REGION, path_length=1), "3 .* path length", id="4: path length"),
        pytest.param(changed(ROOT, path_length=2), "3 .* path length", id="4: of the root"),
        pytest.param(changed(ZONE, path_length=0), "3 .* path length", id="4: nearer"),
        pytest.param(
            changed(LEAF, is_authority=True, signs_certificates=True),
            "4 .* is an authority's",
            id="5: authority",
        ),
        pytest.param(
            changed(LEAF, signs_documents=False, signs_certificates=True),
            "4 .* not for signatures",
            id="5: key usage",
        ),
        pytest.param(
            changed(LEAF, signs_certificates=None), "4 .* not for signatures", id="5: no key usage"
        ),
        pytest.param(changed(LEAF, unknown_critical=True), "4 .* not understood", id="6: leaf"),
        pytest.param(changed(ROOT, unknown_critical=True), "0 .* not understood", id="6: root"),
    ],
)
def test_a_certificate_that_was_not_issued_for_its_place_is_refused(
    recipe: tuple[Certificate, ...], reason: str
) -> None:
    with pytest.raises(CertificateRejectedError, match=reason):
        verify(FakeNitro(recipe))


def test_a_wider_path_length_below_does_not_widen_the_one_above() -> None:
    recipe = list(CHAIN)
    recipe[REGION] = replace(recipe[REGION], path_length=1)
    recipe[ZONE] = replace(recipe[ZONE], path_length=5)
    with pytest.raises(CertificateRejectedError, match=r"3 .* path length"):
        verify(FakeNitro(recipe))


def test_a_leaf_without_basic_constraints_is_a_leaf() -> None:
    verify(FakeNitro(changed(LEAF, is_authority=None)))


@pytest.mark.parametrize("position", [ROOT, REGION, LEAF])
def test_a_key_on_another_curve_is_refused(position: int) -> None:
    # Step 2: what the key below it signs is then of another kind too.
    with pytest.raises(AdytonError):
        verify(FakeNitro(changed(position, curve=ec.SECP256R1())))


# Every certificate's own time


@pytest.mark.parametrize("position", [ROOT, REGION, ZONE, INSTANCE, LEAF])
def test_each_certificate_must_be_valid_at_the_instant(position: int) -> None:
    past, future = NOW - timedelta(days=9999), NOW + timedelta(days=9999)
    second = timedelta(seconds=1)
    recipe = [replace(item, first=past, last=future) for item in CHAIN]
    recipe[position] = replace(recipe[position], first=NOW, last=NOW + second)
    vendor = FakeNitro(recipe)
    for inside in (NOW, NOW + second):
        verify(vendor, at=inside)
    for outside in (NOW - second, NOW + 2 * second, NOW + second + timedelta(microseconds=1)):
        with pytest.raises(CertificateTimeRejectedError) as refused:
            verify(vendor, at=outside)
        assert refused.value.position == position


def test_the_instant_may_be_in_any_zone() -> None:
    verify(FakeNitro(), at=NOW.astimezone(timezone(timedelta(hours=9))))


# Bytes that are no chain


@pytest.mark.parametrize("count", [0, 1, 11])
def test_a_chain_has_a_sensible_length(count: int) -> None:
    vendor = FakeNitro()
    with pytest.raises(MalformedError, match="not 2 to 10"):
        verify(vendor, certificates=[vendor.chain[0]] * count)


@pytest.mark.parametrize("cut", [0, 1, 2, 5, 20, 100, -1])
def test_a_certificate_that_is_cut_is_malformed(cut: int) -> None:
    vendor = FakeNitro()
    with pytest.raises(MalformedError):
        verify(vendor, certificates=[*vendor.chain[:-1], vendor.chain[-1][:cut]])


def test_bytes_behind_a_certificate_are_refused() -> None:
    vendor = FakeNitro()
    with pytest.raises(MalformedError):
        verify(vendor, certificates=[*vendor.chain[:-1], vendor.chain[-1] + b"\x00"])


def test_a_serial_number_that_is_not_positive_is_refused_before_the_library_warns() -> None:
    vendor = FakeNitro()
    leaf = bytearray(vendor.chain[-1])
    # SEQUENCE (4 bytes), SEQUENCE (4), version (5), then the serial number's tag and length.
    assert leaf[13] == 0x02
    leaf[15] |= 0x80
    with pytest.raises(MalformedError, match=r"not positive|shortest form"):
        verify(vendor, certificates=[*vendor.chain[:-1], bytes(leaf)])


def test_a_certificate_of_another_version_is_refused() -> None:
    vendor = FakeNitro()
    leaf = vendor.chain[-1]
    assert leaf[8:13] == b"\xa0\x03\x02\x01\x02"
    for version in (0, 1, 3):
        other = leaf[:12] + bytes([version]) + leaf[13:]
        with pytest.raises(MalformedError, match=r"not an x.509 certificate|not of version 3"):
            verify(vendor, certificates=[*vendor.chain[:-1], other])


def test_a_certificate_without_a_version_is_of_version_1() -> None:
    vendor = FakeNitro()
    root = vendor.chain[0]
    size = int.from_bytes(root[2:4], "big") - 5
    inner = int.from_bytes(root[6:8], "big") - 5
    other = b"\x30\x82" + size.to_bytes(2, "big") + b"\x30\x82" + inner.to_bytes(2, "big")
    other += root[13:]
    with pytest.raises(MalformedError, match=r"not an x.509 certificate|not of version 3"):
        verify_pinned(vendor, other)


def verify_pinned(vendor: FakeNitro, root: bytes) -> Path:
    """Verify with another root, which is trusted: nothing but its own form can be wrong with it."""
    roots = {"fake": hashlib.sha256(root).digest()}
    return verify(vendor, certificates=[root, *vendor.chain[1:]], roots=roots)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("0603551d13", "0603551d0f", id="an extension twice"),
        pytest.param("30030101ff", "30030102ff", id="basic constraints that are no boolean"),
        pytest.param("06052b81040022", "06052b81040023", id="a point that is not on the curve"),
        pytest.param("06052b81040022", "06052b8104007f", id="a curve that is unknown"),
    ],
)
def test_a_key_or_an_extension_that_cannot_be_read_is_malformed(old: str, new: str) -> None:
    vendor = FakeNitro()
    root = vendor.chain[0]
    assert bytes.fromhex(old) in root
    with pytest.raises(MalformedError, match=r"key|cannot be read|twice|element"):
        verify_pinned(vendor, root.replace(bytes.fromhex(old), bytes.fromhex(new)))


def test_a_validity_that_cannot_be_read_is_malformed() -> None:
    vendor = FakeNitro()
    root = vendor.chain[0].replace(b"191028000000Z", b"191328000000Z")
    assert root != vendor.chain[0]
    with pytest.raises(MalformedError, match=r"a validity that cannot be read"):
        verify_pinned(vendor, root)


def test_an_extension_that_is_not_critical_may_be_anything() -> None:
    verify(FakeNitro(changed(ZONE, has_key_identifier=True)))


# The cache


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the certificates that are really verified."""
    calls: list[int] = []
    original = module._verify

    def counting(der: bytes, **rest: Any) -> Any:
        calls.append(rest["position"])
        return original(der, **rest)

    monkeypatch.setattr(module, "_verify", counting)
    return calls


def test_a_cached_chain_is_not_verified_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, cache, vendor = counted(monkeypatch), PathCache(), FakeNitro()
    first = verify(vendor, cache=cache)
    assert calls == [0, 1, 2, 3, 4]
    assert verify(vendor, cache=cache) == first
    assert calls == [0, 1, 2, 3, 4]


def test_a_new_leaf_under_known_authorities_is_verified_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls, cache, vendor = counted(monkeypatch), PathCache(), FakeNitro()
    verify(vendor, cache=cache)
    calls.clear()
    with pytest.raises(RejectedError):
        verify(vendor, certificates=[*vendor.chain[:-1], FakeNitro().chain[-1]], cache=cache)
    assert calls == [4]


def test_a_cached_chain_is_refused_outside_its_validity() -> None:
    cache, vendor = PathCache(), FakeNitro()
    verify(vendor, cache=cache)
    with pytest.raises(CertificateTimeRejectedError):
        verify(vendor, at=NOW + timedelta(hours=4), cache=cache)


def test_a_cached_chain_is_refused_under_other_roots() -> None:
    cache, vendor = PathCache(), FakeNitro()
    verify(vendor, cache=cache)
    with pytest.raises(RootRejectedError):
        verify(vendor, roots={"other": bytes(32)}, cache=cache)


def test_a_cached_authority_is_not_taken_for_a_signer() -> None:
    cache, vendor = PathCache(), FakeNitro()
    verify(vendor, cache=cache)
    with pytest.raises(CertificateRejectedError, match="is an authority's"):
        verify(vendor, certificates=vendor.chain[:-1], cache=cache)


def test_a_link_is_not_found_below_another_path() -> None:
    cache = PathCache()
    one, other = FakeNitro(), FakeNitro()
    verify(one, cache=cache)
    verify(other, cache=cache)
    mixed = [one.chain[0], *other.chain[1:]]
    with pytest.raises(CertificateRejectedError, match=r"1 .* not signed by"):
        verify(one, certificates=mixed, cache=cache)


def test_a_refusal_is_not_remembered() -> None:
    cache = PathCache()
    vendor = FakeNitro(changed(LEAF, signs_documents=False, signs_certificates=True))
    for _ in range(2):
        with pytest.raises(CertificateRejectedError, match="not for signatures"):
            verify(vendor, cache=cache)


def test_a_full_cache_forgets_what_it_has_had_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, cache = counted(monkeypatch), PathCache(limit=5)
    one, other = FakeNitro(), FakeNitro()
    for vendor in (one, other, one):
        verify(vendor, cache=cache)
    assert calls == [0, 1, 2, 3, 4] * 3


def test_the_errors_say_when_and_where() -> None:
    error = CertificateTimeRejectedError(
        position=3,
        at=NOW,
        first=datetime(2020, 1, 1, tzinfo=UTC),
        last=datetime(2021, 1, 1, tzinfo=UTC),
    )
    assert str(error) == (
        "certificate 3 of the chain is valid from 2020-01-01T00:00:00Z to 2021-01-01T00:00:00Z,"
        " not at 2026-11-20T12:00:00Z"
    )
