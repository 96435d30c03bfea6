"""The tree against one that is built naively, as the RFC's recursion says, and against ours."""

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.errors import MalformedError
from adyton.ledger.tree import (
    EMPTY_ROOT,
    Frontier,
    Hash,
    InclusionRejectedError,
    LogRewrittenError,
    consistency,
    inclusion,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

SIZES = st.integers(1, 70)
# Computed with sha256sum over the bytes that section 2.1 says, for leaves 0x00, 0x01, 0x02, ...
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
}


def leaves(size: int) -> list[bytes]:
    return [bytes([index]) for index in range(size)]


def largest_power_below(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def naive_root(data: list[bytes]) -> bytes:
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    half = largest_power_below(len(data))
    joined = b"\x01" + naive_root(data[:half]) + naive_root(data[half:])
    return hashlib.sha256(joined).digest()


def naive_path(index: int, data: list[bytes]) -> list[bytes]:
    if len(data) == 1:
        return []
    half = largest_power_below(len(data))
    if index < half:
        return [*naive_path(index, data[:half]), naive_root(data[half:])]
    return [*naive_path(index - half, data[half:]), naive_root(data[:half])]


def naive_consistency(old: int, data: list[bytes], *, whole: bool = True) -> list[bytes]:
    if old == len(data):
        return [] if whole else [naive_root(data)]
    half = largest_power_below(len(data))
    if old <= half:
        return [*naive_consistency(old, data[:half], whole=whole), naive_root(data[half:])]
    return [
        *naive_consistency(old - half, data[half:], whole=False),
        naive_root(data[:half]),
    ]


def grown(size: int) -> tuple[Frontier, Callable[[int, int], Hash]]:
    frontier, nodes = Frontier(), {}
    for data in leaves(size):
        for level, index, hashed in frontier.append(leaf_hash(data)):
            assert (level, index) not in nodes
            nodes[level, index] = hashed
    return frontier, lambda level, index: nodes[level, index]


@pytest.mark.parametrize("size", ROOTS)
def test_the_first_roots_are_those_of_the_rfc(size: int) -> None:
    assert grown(size)[0].root().hex() == ROOTS[size]


def test_a_tree_of_three_is_hashed_by_hand() -> None:
    one, two, three = (hashlib.sha256(b"\x00" + bytes([i])).digest() for i in range(3))
    left = hashlib.sha256(b"\x01" + one + two).digest()
    assert grown(3)[0].root() == hashlib.sha256(b"\x01" + left + three).digest()


@given(st.integers(0, 70))
def test_the_frontier_has_the_naive_root(size: int) -> None:
    frontier, read = grown(size)
    assert frontier.root() == naive_root(leaves(size)) == root_of(size, read)
    assert frontier.size == size
    again = Frontier.from_bytes(frontier.to_bytes())
    assert again.append(leaf_hash(b"next")) == frontier.copy().append(leaf_hash(b"next"))
    assert frontier.size == size


@given(st.data(), SIZES)
def test_inclusion_is_the_naive_path_and_verifies(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    frontier, read = grown(size)
    path = inclusion(index, size, read)
    assert path == naive_path(index, leaves(size))
    leaf = leaf_hash(bytes([index]))
    verify_inclusion(leaf, index=index, size=size, path=path, root=frontier.root())


@given(st.data(), SIZES)
def test_consistency_is_the_naive_proof_and_verifies(data: st.DataObject, new: int) -> None:
    old = data.draw(st.integers(1, new))
    frontier, read = grown(new)
    path = consistency(old, new, read)
    assert path == naive_consistency(old, leaves(new))
    verify_consistency(
        old=old,
        new=new,
        old_root=Hash(naive_root(leaves(old))),
        new_root=frontier.root(),
        path=path,
    )


@given(st.data(), SIZES)
def test_nothing_else_is_included(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    frontier, read = grown(size)
    path, root = inclusion(index, size, read), frontier.root()
    leaf, zero = leaf_hash(bytes([index])), Hash(bytes(32))
    wrong_index = data.draw(st.integers(-1, size + 1).filter(lambda other: other != index))
    cases = [
        (zero, index, path, root),
        (leaf, wrong_index, path, root),
        (leaf, index, [*path, zero], root),
        (leaf, index, path, zero),
    ]
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        cases.append((leaf, index, path[:-1], root))
        cases.append((leaf, index, [*path[:place], zero, *path[place + 1 :]], root))
    for broken_leaf, broken_index, broken_path, broken_root in cases:
        with pytest.raises(InclusionRejectedError):
            verify_inclusion(
                broken_leaf, index=broken_index, size=size, path=broken_path, root=broken_root
            )


@given(st.data(), SIZES)
def test_no_other_beginning_is_consistent(data: st.DataObject, new: int) -> None:
    old = data.draw(st.integers(1, new))
    frontier, read = grown(new)
    path = consistency(old, new, read)
    old_root, new_root, zero = Hash(naive_root(leaves(old))), frontier.root(), Hash(bytes(32))
    cases = [
        (old, new, zero, new_root, path),
        (old, new, old_root, zero, path),
        (old, new, old_root, new_root, [*path, zero]),
        (new + 1, new, old_root, new_root, path),
        (-1, new, old_root, new_root, path),
    ]
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        cases.append((old, new, old_root, new_root, path[:-1]))
        broken = [*path[:place], zero, *path[place + 1 :]]
        cases.append((old, new, old_root, new_root, broken))
    for first, second, first_root, second_root, proof in cases:
        with pytest.raises(LogRewrittenError):
            verify_consistency(
                old=first, new=second, old_root=first_root, new_root=second_root, path=proof
            )


def test_a_log_of_nothing_begins_every_log() -> None:
    root = grown(5)[0].root()
    verify_consistency(old=0, new=5, old_root=EMPTY_ROOT, new_root=root, path=[])
    with pytest.raises(LogRewrittenError):
        verify_consistency(old=0, new=5, old_root=root, new_root=root, path=[])
    with pytest.raises(LogRewrittenError):
        verify_consistency(old=0, new=5, old_root=EMPTY_ROOT, new_root=root, path=[root])


def test_a_leaf_is_no_node_with_the_same_bytes() -> None:
    _, read = grown(2)
    both = read(0, 0) + read(0, 1)
    assert leaf_hash(both) != grown(2)[0].root()


@pytest.mark.parametrize("data", [b"", bytes(7), bytes(8) + bytes(32), b"\xff" * 8])
def test_a_frontier_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        Frontier.from_bytes(data)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3), (0, 2**64)])
def test_there_is_no_path_from_a_leaf_that_is_not_there(index: int, size: int) -> None:
    _, read = grown(3)
    with pytest.raises(MalformedError):
        inclusion(index, size, read)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 3)])
def test_there_is_no_proof_of_a_beginning_that_is_none(old: int, new: int) -> None:
    _, read = grown(3)
    with pytest.raises(MalformedError):
        consistency(old, new, read)


def test_a_proof_about_a_huge_log_reads_few_nodes() -> None:
    size, asked = 2**40 + 12_345, []

    def read(level: int, index: int) -> Hash:
        assert (index + 1) << level <= size
        asked.append((level, index))
        return Hash(bytes(32))

    assert len(inclusion(size - 1, size, read)) < 50
    inclusion(2**39, size, read)
    consistency(2**40 - 1, size, read)
    assert len(asked) < 250


def test_a_full_tree_takes_no_more() -> None:
    size = 2**63 - 1
    frontier = Frontier.from_bytes(size.to_bytes(8, "big") + bytes(63 * 32))
    with pytest.raises(ValueError, match="full"):
        frontier.append(leaf_hash(b""))
