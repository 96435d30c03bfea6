"""Whatever is done to a document, it is refused, or it says what was signed."""

from contextlib import suppress
from typing import Final

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.nitro import CHAIN, NOW, FakeNitro

from adyton.crypto.path import PathCache
from adyton.errors import AdytonError, MalformedError, RejectedError
from adyton.evidence.nitro.authenticate import authenticate
from adyton.evidence.nitro.layout import Document

VENDOR: Final = FakeNitro()
DOCUMENT: Final = VENDOR.document()
SIGNED: Final = Document.from_bytes(DOCUMENT).signed_bytes
CACHE: Final = PathCache()
# The shortest document that is right: a root, a signer, one register.
SMALL_VENDOR: Final = FakeNitro((CHAIN[0], CHAIN[-1]))
SMALL: Final = SMALL_VENDOR.document(
    SMALL_VENDOR.fields(
        module_id="i", pcrs={0: bytes(32)}, public_key=None, user_data=None, nonce=None
    )
)


def is_accepted(document: bytes, vendor: FakeNitro = VENDOR) -> bool:
    try:
        claims = authenticate(document, roots=vendor.roots, at=NOW, cache=CACHE)
    except (MalformedError, RejectedError):
        return False
    # What is accepted says what was signed: only what nobody signs may differ.
    original = Document.from_bytes(DOCUMENT if vendor is VENDOR else SMALL)
    assert Document.from_bytes(document).signed_bytes == original.signed_bytes
    assert claims.instance == original.module_id
    return True


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


def test_the_documents_are_good_to_begin_with() -> None:
    assert is_accepted(DOCUMENT)
    assert is_accepted(SMALL, SMALL_VENDOR)


def test_no_flipped_bit_of_a_small_document_is_accepted() -> None:
    # Every bit of the file: header, payload, certificates, signature and framing.
    accepted = [
        bit for bit in range(8 * len(SMALL)) if is_accepted(flipped(SMALL, bit), SMALL_VENDOR)
    ]
    assert accepted == []


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 8 * len(DOCUMENT) - 1))
def test_no_flipped_bit_of_a_document_is_accepted(bit: int) -> None:
    assert not is_accepted(flipped(DOCUMENT, bit))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 8 * len(DOCUMENT) - 1))
def test_no_flipped_bit_is_accepted_without_a_cache(bit: int) -> None:
    with pytest.raises(AdytonError):
        authenticate(flipped(DOCUMENT, bit), roots=VENDOR.roots, at=NOW)


def test_a_document_that_is_cut_anywhere_is_malformed() -> None:
    for size in range(len(DOCUMENT)):
        with pytest.raises(MalformedError):
            authenticate(DOCUMENT[:size], roots=VENDOR.roots, at=NOW, cache=CACHE)


def test_a_payload_that_is_cut_anywhere_is_malformed() -> None:
    # Signed as it is: what a broken signer could do.
    payload = cbor2.loads(DOCUMENT)[2]
    for size in range(1, len(payload)):
        with pytest.raises(MalformedError):
            Document.from_bytes(VENDOR.document(payload=payload[:size], signature=bytes(96)))


pieces = st.tuples(
    st.sampled_from(["replace", "insert", "delete", "repeat"]),
    st.integers(0, len(DOCUMENT)),
    st.binary(max_size=8),
)


def mutated(data: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    for kind, offset, piece in changes:
        size = len(piece)
        match kind:
            case "replace":
                data = data[:offset] + piece + data[offset + size :]
            case "insert":
                data = data[:offset] + piece + data[offset:]
            case "delete":
                data = data[:offset] + data[offset + size :]
            case _:
                data = data[: offset + size] + data[offset:]
    return data


@settings(max_examples=1000, deadline=None)
@given(st.lists(pieces, min_size=1, max_size=4))
def test_a_mutated_document_is_refused_and_nothing_else(
    changes: list[tuple[str, int, bytes]],
) -> None:
    document = mutated(DOCUMENT, changes)
    assert not is_accepted(document) or Document.from_bytes(document).signed_bytes == SIGNED


@settings(max_examples=500, deadline=None)
@given(st.lists(pieces, min_size=1, max_size=4))
def test_a_mutated_payload_that_is_signed_again_is_read_or_malformed(
    changes: list[tuple[str, int, bytes]],
) -> None:
    payload = mutated(cbor2.loads(DOCUMENT)[2], changes)
    with suppress(MalformedError, RejectedError):
        authenticate(VENDOR.document(payload=payload), roots=VENDOR.roots, at=NOW, cache=CACHE)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 4), st.lists(pieces, min_size=1, max_size=3))
def test_a_mutated_certificate_is_refused_and_nothing_else(
    position: int, changes: list[tuple[str, int, bytes]]
) -> None:
    original = VENDOR.chain[position]
    scaled = [(kind, offset % len(original), piece) for kind, offset, piece in changes]
    chain = [*VENDOR.chain]
    chain[position] = mutated(original, scaled)
    fields = VENDOR.fields(certificate=chain[-1], cabundle=chain[:-1])
    if chain[position] == original:
        return
    with pytest.raises((MalformedError, RejectedError)):
        authenticate(VENDOR.document(fields), roots=VENDOR.roots, at=NOW, cache=CACHE)


@given(st.binary(max_size=300))
def test_any_bytes_are_malformed_or_refused(data: bytes) -> None:
    with pytest.raises((MalformedError, RejectedError)):
        authenticate(data, roots=VENDOR.roots, at=NOW)
