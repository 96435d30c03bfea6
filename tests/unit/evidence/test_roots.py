import pytest

from adyton.evidence.roots import VENDOR_ROOTS, trusted_roots
from adyton.model.claims import VendorRoot


def test_every_vendor_root_is_pinned_as_a_sha_256() -> None:
    assert set(VENDOR_ROOTS) == set(VendorRoot)
    assert all(len(digest) == 32 for digest in VENDOR_ROOTS.values())


def test_nothing_is_trusted_that_was_not_asked_for() -> None:
    assert trusted_roots((), named={}) == {}
    assert trusted_roots((), named={"laptop": bytes(32)}) == {"laptop": bytes(32)}


def test_a_vendor_is_trusted_by_its_pinned_digest() -> None:
    roots = trusted_roots([VendorRoot.AWS_NITRO], named={"aws-nitro": bytes(32)})
    assert roots == {"aws-nitro": VENDOR_ROOTS[VendorRoot.AWS_NITRO]}


def test_the_roots_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        trusted_roots((), named={})["laptop"] = bytes(32)  # type: ignore[index]
