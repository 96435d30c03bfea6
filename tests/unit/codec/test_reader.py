import pytest

from adyton.codec.reader import Reader
from adyton.errors import MalformedError


def test_fields_are_read_in_order() -> None:
    reader = Reader(b"\x01\x02\x03\x04\x05rest", where="a test")
    assert reader.peek("kind") == 1
    assert reader.u8("kind") == 1
    assert reader.big_endian(2, "size") == 0x0203
    assert reader.little_endian(2, "type") == 0x0504
    assert (reader.offset, reader.remaining) == (5, 4)
    assert reader.take(4, "rest") == b"rest"
    reader.finish()


@pytest.mark.parametrize("size", [5, 1 << 62, -1])
def test_more_than_is_left_names_the_field(size: int) -> None:
    with pytest.raises(MalformedError, match="a test ends in the body"):
        Reader(b"four", where="a test").take(size, "the body")


def test_an_end_before_a_byte_names_the_field() -> None:
    with pytest.raises(MalformedError, match="ends before kind"):
        Reader(b"", where="a test").u8("kind")


def test_leftovers_are_refused() -> None:
    with pytest.raises(MalformedError, match="1 bytes too many"):
        Reader(b"x", where="a test").finish()


def test_a_failed_read_does_not_move() -> None:
    reader = Reader(b"ab", where="a test")
    with pytest.raises(MalformedError):
        reader.take(3, "three")
    assert reader.take(2, "two") == b"ab"
