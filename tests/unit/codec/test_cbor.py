from contextlib import suppress
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.codec.cbor import (
    MAX_DEPTH,
    Cbor,
    Tagged,
    as_bytes,
    as_integer,
    as_list,
    as_map,
    as_text,
    dumps,
    loads,
)
from adyton.errors import MalformedError

LIMIT = 4096

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.binary(max_size=40)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(0, 40) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(plain)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert loads(dumps(value), limit_bytes=1 << 16) == value


@given(plain)
def test_another_library_writes_the_same_bytes(value: Any) -> None:
    assert dumps(value) == cbor2.dumps(value)


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_or_malformed(data: bytes, indefinite: bool) -> None:  # noqa: FBT001
    with suppress(MalformedError):
        value = loads(data, limit_bytes=LIMIT, indefinite=indefinite)
        if not indefinite:
            assert dumps(value) == data


def test_a_tag_is_kept() -> None:
    assert loads(b"\xd2\x01", limit_bytes=LIMIT) == Tagged(18, 1)
    assert dumps(Tagged(18, [1])) == b"\xd2\x81\x01"


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"\x9f\x01\x02\xff", [1, 2]),
        (b"\xbf\x01\x02\xff", {1: 2}),
        (b"\xbf\xff", {}),
        (b"\x9f\xbf\x61a\x9f\xff\xff\xff", [{"a": []}]),
    ],
)
def test_containers_without_a_count_are_read_where_they_are_allowed(
    data: bytes, value: Cbor
) -> None:
    assert loads(data, limit_bytes=LIMIT, indefinite=True) == value
    with pytest.raises(MalformedError, match="form that is not accepted"):
        loads(data, limit_bytes=LIMIT)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", "ends before a value", id="nothing"),
        pytest.param(b"\x01\x01", "1 bytes too many", id="trailing bytes"),
        pytest.param(b"\xa2\x01\x02\x01\x03", "duplicate key", id="duplicate integer key"),
        pytest.param(b"\xa2\x61a\x02\x61a\x03", "duplicate key", id="duplicate text key"),
        pytest.param(b"\xa1\xf5\x02", "neither", id="boolean key"),
        pytest.param(b"\xa1\x41a\x02", "neither", id="bytes key"),
        pytest.param(b"\xa1\xf6\x02", "neither", id="null key"),
        pytest.param(b"\xa1\x80\x02", "neither", id="array key"),
        pytest.param(b"\x18\x17", "more bytes", id="23 in two bytes"),
        pytest.param(b"\x19\x00\xff", "more bytes", id="255 in three bytes"),
        pytest.param(b"\x1a\x00\x00\xff\xff", "more bytes", id="65535 in five bytes"),
        pytest.param(b"\x1b\x00\x00\x00\x00\xff\xff\xff\xff", "more bytes", id="2^32-1 in nine"),
        pytest.param(b"\x58\x01a", "more bytes", id="a length in two bytes"),
        pytest.param(b"\x5f\x41a\xff", "not accepted", id="a string in chunks"),
        pytest.param(b"\x7f\x61a\xff", "not accepted", id="text in chunks"),
        pytest.param(b"\x1c", "not accepted", id="reserved 28"),
        pytest.param(b"\x42a", "ends in a byte string", id="a short string"),
        pytest.param(b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", "ends in", id="an endless string"),
        pytest.param(b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", "announces", id="an endless array"),
        pytest.param(b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff", "announces", id="an endless map"),
        pytest.param(b"\x62\xc3\x28", "not utf-8", id="text that is not utf-8"),
        pytest.param(b"\xf9\x3c\x00", "float", id="a half"),
        pytest.param(b"\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00", "float", id="a double"),
        pytest.param(b"\xf7", "simple value", id="undefined"),
        pytest.param(b"\xf8\x18", "simple value", id="a simple value of two bytes"),
        pytest.param(b"\xff", "simple value", id="a break alone"),
        pytest.param(b"\xbf\x01\xff", "simple value", id="a break for a value"),
        pytest.param(b"\x9f\x01", "ends before a break", id="no break"),
        pytest.param(b"\x81" * (MAX_DEPTH + 1) + b"\x01", "nested", id="too deep"),
        pytest.param(b"\xd2" * (MAX_DEPTH + 1) + b"\x01", "nested", id="too many tags"),
    ],
)
def test_what_readers_disagree_about_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        loads(data, limit_bytes=LIMIT, indefinite=data[:1] in {b"\xbf", b"\x9f", b"\xff"})


def test_the_deepest_value_that_is_allowed_is_read() -> None:
    loads(b"\x81" * MAX_DEPTH + b"\x01", limit_bytes=LIMIT)


def test_more_bytes_than_the_limit_are_not_looked_at() -> None:
    with pytest.raises(MalformedError, match="the limit is 4"):
        loads(b"\x84\x01\x01\x01\x01", limit_bytes=4)


def test_more_values_than_the_limit_are_not_made() -> None:
    data = b"\x83\x01\xa1\x02\x03\x04"
    assert loads(data, limit_bytes=LIMIT, limit_values=6) == [1, {2: 3}, 4]
    with pytest.raises(MalformedError, match="more values"):
        loads(data, limit_bytes=LIMIT, limit_values=5)


def test_an_integer_beyond_64_bits_is_not_written() -> None:
    with pytest.raises(ValueError, match="64 bits"):
        dumps(2**64)


@pytest.mark.parametrize(
    ("read", "reason"),
    [
        (lambda: as_map([], "it"), "it is not a map"),
        (lambda: as_list({}, "it", high=1), "it is not an array"),
        (lambda: as_list([1, 2], "it", high=1), "it has 2 items, not 0 to 1"),
        (lambda: as_bytes("a", "it", high=1), "it is not a byte string"),
        (lambda: as_bytes(b"", "it", low=1, high=2), "it has 0 bytes, not 1 to 2"),
        (lambda: as_text(b"a", "it", high=1), "it is not text"),
        (lambda: as_text("ab", "it", high=1), "it has 2 characters, not 0 to 1"),
        (lambda: as_integer(True, "it", low=0, high=1), "it is not an integer"),
        (lambda: as_integer(2, "it", low=0, high=1), "it is not in 0..1"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(read: Any, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        read()


def test_a_value_of_the_right_kind_is_returned() -> None:
    assert as_map({1: 2}, "it") == {1: 2}
    assert as_list([1], "it", low=1, high=1) == [1]
    assert as_bytes(b"a", "it", high=1) == b"a"
    assert as_text("a", "it", high=1) == "a"
    assert as_integer(-1, "it", low=-1, high=1) == -1
