"""One file for a proof's place in the log."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.codec.text import to_base64
from adyton.errors import MalformedError
from adyton.ledger.checkpoint import Checkpoint
from adyton.ledger.log_proof import MAX_LOG_PROOF_BYTES, LogProof, check_included
from adyton.ledger.tree import Frontier, Hash, InclusionRejectedError, inclusion, leaf_hash

NOTE = "log\n3\nroot\n\n\u2014 log AAAAAAAA\n".encode()
HASHES = [bytes([number]) * 32 for number in range(3)]


def test_the_file_is_lines_an_empty_line_and_the_note() -> None:
    path = (Hash(bytes(32)), Hash(bytes([1]) * 32))
    proof = LogProof(index=5, path=path, note=NOTE)
    expected = "c2sp.org/tlog-proof@v1\nindex 5\n" + "".join(f"{to_base64(h)}\n" for h in path)
    assert proof.to_bytes() == expected.encode() + b"\n" + NOTE
    assert LogProof.from_bytes(proof.to_bytes()) == proof


@given(
    st.builds(
        LogProof,
        index=st.integers(0, 2**63 - 1),
        path=st.lists(st.binary(min_size=32, max_size=32).map(Hash), max_size=63).map(tuple),
        note=st.binary(max_size=200),
        extra=st.binary(max_size=100),
    )
)
def test_what_is_written_is_read(proof: LogProof) -> None:
    assert LogProof.from_bytes(proof.to_bytes()) == proof


@pytest.mark.parametrize(
    "text",
    [
        "",
        "index 5\n\nnote",
        "c2sp.org/tlog-proof@v2\nindex 5\n\nnote",
        "c2sp.org/tlog-proof@v1\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 05\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex -5\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 5\nAAAA\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 5\nextra AAAA\n\nnote",
        "c2sp.org/tlog-proof@v1\nextra A\nindex 5\n\nnote",
        "c2sp.org/tlog-proof@v1\r\nindex 5\n\nnote",
        "c2sp.org/tlog-proof@v1\nindex 5\n" + f"{to_base64(bytes(32))}\n" * 64 + "\nnote",
        "c2sp.org/tlog-proof@v1\nindex 5\u00e9\n\nnote",
    ],
)
def test_what_is_no_log_proof_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        LogProof.from_bytes(text.encode())


def test_more_bytes_than_the_limit_are_refused() -> None:
    with pytest.raises(MalformedError):
        LogProof.from_bytes(bytes(MAX_LOG_PROOF_BYTES + 1))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_log_proof_or_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        LogProof.from_bytes(b"c2sp.org/tlog-proof@v1\n" + data)


def test_a_proof_is_in_the_log_at_its_place_and_no_other() -> None:
    frontier, nodes = Frontier(), {}
    for data in HASHES:
        nodes.update({(level, i): h for level, i, h in frontier.append(leaf_hash(data))})
    checkpoint = Checkpoint(origin="log", size=3, root=frontier.root())
    path = tuple(inclusion(1, 3, lambda level, index: nodes[level, index]))
    check_included(HASHES[1], index=1, path=path, checkpoint=checkpoint)
    for proof_hash, index in ((HASHES[0], 1), (HASHES[1], 0), (HASHES[1], 3)):
        with pytest.raises(InclusionRejectedError):
            check_included(proof_hash, index=index, path=path, checkpoint=checkpoint)
