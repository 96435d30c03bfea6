"""Frames: bounded, and nothing but a map with text for keys."""

import asyncio
from contextlib import suppress
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.adapters.frames import (
    MAX_FRAME_BYTES,
    Fields,
    FrameMalformedError,
    pack_frame,
    read_frame,
    unpack_frame,
)

Values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=16,
)


async def read(data: bytes, **options: Any) -> Fields | None:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await read_frame(reader, **options)


@given(st.dictionaries(st.text(), Values))
def test_what_is_packed_is_read(fields: Fields) -> None:
    assert asyncio.run(read(pack_frame(fields))) == fields


@given(st.binary(max_size=512))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    with suppress(FrameMalformedError):
        unpack_frame(data)
    with suppress(FrameMalformedError):
        asyncio.run(read(data))


@given(st.binary(min_size=1, max_size=64))
def test_a_frame_that_is_cut_is_malformed(data: bytes) -> None:
    frame = pack_frame({"data": data})
    with pytest.raises(FrameMalformedError):
        asyncio.run(read(frame[:-1]))


async def test_an_end_between_frames_is_the_end() -> None:
    assert await read(b"") is None


async def test_an_end_within_a_length_is_malformed() -> None:
    with pytest.raises(FrameMalformedError):
        await read(b"\x01\x00")


async def test_a_length_beyond_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(FrameMalformedError, match="limit"):
        await read((MAX_FRAME_BYTES + 1).to_bytes(4, "little"))
    with pytest.raises(FrameMalformedError, match="limit"):
        await read(pack_frame({"data": b"x" * 100}), limit_bytes=100)


def test_too_much_is_not_packed() -> None:
    with pytest.raises(FrameMalformedError):
        pack_frame({"data": bytes(MAX_FRAME_BYTES)})


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        "text",
        [],
        {1: 2},
        {b"key": 1},
        {"list": [None] * 70_000},
        {"deep": msgpack.ExtType(5, b"")},
    ],
)
def test_what_is_no_plain_map_is_malformed(value: Any) -> None:
    with pytest.raises(FrameMalformedError):
        unpack_frame(msgpack.packb(value))


def test_bytes_after_the_map_are_malformed() -> None:
    with pytest.raises(FrameMalformedError):
        unpack_frame(msgpack.packb({}) + b"\x00")


def test_nesting_without_end_is_malformed() -> None:
    with pytest.raises(FrameMalformedError):
        unpack_frame(b"\x81\xa1a" + b"\x91" * 100_000)
