"""Frames: whole, or refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.ledger.errors import FrameDamagedError
from adyton.ledger.frame import FrameKind, pack_frame, read_frame, read_frames


class InMemory:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, size: int) -> bytes:
        return self.data[offset : offset + size]


@given(st.lists(st.tuples(st.sampled_from(FrameKind), st.binary(max_size=200)), max_size=5))
def test_frames_come_back_in_order(frames: list[tuple[FrameKind, bytes]]) -> None:
    data = b"".join(pack_frame(kind, payload) for kind, payload in frames)
    found = list(read_frames(InMemory(data), 0))
    assert [(frame.kind, frame.payload) for frame in found] == frames
    assert (found[-1].end if found else 0) == len(data)


def test_a_frame_longer_than_one_read_comes_back() -> None:
    payload = bytes(200_000)
    (frame,) = read_frames(InMemory(pack_frame(FrameKind.BATCH, payload)), 0)
    assert frame.payload == payload


@given(st.binary(max_size=64), st.data())
def test_no_flipped_bit_and_no_cut_goes_unnoticed(payload: bytes, data: st.DataObject) -> None:
    frame = pack_frame(FrameKind.BATCH, payload)
    bit = data.draw(st.integers(0, 8 * len(frame) - 1))
    flipped = bytearray(frame)
    flipped[bit // 8] ^= 1 << bit % 8
    cut = frame[: data.draw(st.integers(0, len(frame) - 1))]
    for broken in (bytes(flipped), cut):
        with pytest.raises(FrameDamagedError):
            read_frame(broken)


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_damaged(data: bytes) -> None:
    with suppress(FrameDamagedError):
        for frame in read_frames(InMemory(data), 0):
            assert frame.end <= len(data)
