import asyncio

import pytest

from adyton.gateway.connections import Paired


class Peer(asyncio.Transport):
    """Keeps each piece as it was written."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:  # type: ignore[override]  # as it is called here
        self.pieces.append(data)

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
async def paired(peer: Peer) -> Paired:
    return Paired(peer, asyncio.get_running_loop())


async def test_an_answer_s_head_and_body_are_one_piece(peer: Peer, paired: Paired) -> None:
    paired.write(b"head")
    assert peer.pieces == []
    paired.write(b"body")
    assert peer.pieces == [b"headbody"]
    paired.write(b"")
    await asyncio.sleep(0)
    assert peer.pieces == [b"headbody"]


async def test_a_head_alone_waits_for_nothing_but_this_turn(peer: Peer, paired: Paired) -> None:
    paired.write(b"head")
    await asyncio.sleep(0)
    assert peer.pieces == [b"head"]
    # A body without bytes ends the wait, too.
    paired.write(b"next")
    paired.write(b"")
    assert peer.pieces == [b"head", b"next"]


async def test_no_more_than_one_piece_is_ever_kept(peer: Peer, paired: Paired) -> None:
    # Who writes without a pause is held up by the transport, and not by what is kept here.
    for number in range(5):
        paired.write(b"%d" % number)
        assert len(b"".join(peer.pieces)) >= number
    paired.close()
    assert b"".join(peer.pieces) == b"01234"


async def test_what_was_written_is_sent_before_the_end(peer: Peer, paired: Paired) -> None:
    paired.write(b"last words")
    paired.close()
    assert (peer.pieces, paired.is_closing()) == ([b"last words"], True)
    await asyncio.sleep(0)
    assert peer.pieces == [b"last words"]


async def test_nothing_is_written_to_a_peer_that_was_cut(peer: Peer, paired: Paired) -> None:
    paired.write(b"head")
    peer.close()
    await asyncio.sleep(0)
    assert peer.pieces == []
