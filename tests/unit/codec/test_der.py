from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.codec.der import DerReader, Tag, elements
from adyton.errors import MalformedError


def reader(data: bytes) -> DerReader:
    return DerReader(data, where="a test")


def test_elements_are_read_in_order() -> None:
    outer = reader(b"\x30\x07\xa0\x03\x02\x01\x02\x02\x00\x00"[:9])
    body = outer.enter(Tag.SEQUENCE, "body")
    assert body.has(Tag.VERSION)
    assert not body.has(Tag.INTEGER)
    assert body.enter(Tag.VERSION, "version").integer("version") == 2
    body.take(Tag.INTEGER, "rest")
    body.finish()
    assert not body.has(Tag.INTEGER)
    outer.finish()


def test_an_element_is_kept_as_it_stands() -> None:
    body = reader(b"\x30\x03\x02\x01\x05\x02\x01\x06")
    assert body.element(Tag.SEQUENCE, "first") == b"\x30\x03\x02\x01\x05"
    assert body.element(Tag.INTEGER, "second") == b"\x02\x01\x06"
    with pytest.raises(MalformedError):
        body.element(Tag.INTEGER, "third")


@given(st.integers(-(2**200), 2**200))
def test_an_integer_in_its_shortest_form_is_read(value: int) -> None:
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    content = value.to_bytes(size, "big", signed=True)
    assert reader(bytes([2, size]) + content).integer("it") == value


def test_a_bit_string_of_whole_bytes_is_read() -> None:
    assert reader(b"\x03\x03\x00ab").whole_bytes("it") == b"ab"


@pytest.mark.parametrize("data", [b"\x03\x02\x01b", b"\x03\x00", b"\x04\x02\x00b"])
def test_a_bit_string_with_unused_bits_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        reader(data).whole_bytes("it")


@given(st.binary(min_size=128, max_size=300))
def test_a_long_length_is_read(content: bytes) -> None:
    size = len(content)
    length = bytes([0x81, size]) if size < 256 else b"\x82" + size.to_bytes(2, "big")
    assert reader(b"\x30" + length + content).take(Tag.SEQUENCE, "it") == content


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        reader(data).integer("it")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ends before it"),
        (b"\x30\x01\x00", "has the tag 0x30, not 0x02"),
        (b"\x02\x02\x00", "ends in it"),
        (b"\x02\x80\x00\x00", "not DER"),
        (b"\x02\x85\x00\x00\x00\x00\x01\x00", "not DER"),
        (b"\x02\x81\x01\x00", "more bytes than it needs"),
        (b"\x02\x82\x00\x80" + bytes(128), "more bytes than it needs"),
        (b"\x02\x00", "shortest form"),
        (b"\x02\x02\x00\x01", "shortest form"),
        (b"\x02\x02\xff\xff", "shortest form"),
    ],
)
def test_what_is_not_der_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        reader(data).integer("it")


def test_leftovers_are_refused() -> None:
    with pytest.raises(MalformedError, match="too many"):
        reader(b"\x00").finish()


def test_elements_are_given_by_their_places() -> None:
    data = b"\x30\x03\x02\x01\x05\x04\x81\x80" + bytes(128)
    assert elements(data, where="a test") == [(0x30, 0, 2, 5), (0x04, 5, 8, 136)]
    assert elements(data, where="a test", start=2, end=5) == [(0x02, 2, 4, 5)]
    assert elements(b"", where="a test") == []


@pytest.mark.parametrize(
    "data",
    [
        "02",
        "0202 01",
        "0481 7f" + "00" * 127,
        "0482 0080" + "00" * 128,
        "0480 0000",
        "0485 0000000001 00",
        "04ff",
        "0482 01",
    ],
)
def test_elements_of_another_form_are_malformed(data: str) -> None:
    with pytest.raises(MalformedError):
        elements(bytes.fromhex(data), where="a test")


@given(st.binary(max_size=60))
def test_elements_fill_what_they_are_in_or_are_malformed(data: bytes) -> None:
    with suppress(MalformedError):
        found = elements(data, where="a test")
        assert b"".join(data[start:end] for _, start, _, end in found) == data
