"""Bytes as text: one text for each value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.codec.text import (
    exact_base64,
    from_base64,
    from_base64url,
    from_hex,
    to_base64,
    to_base64url,
)
from adyton.errors import MalformedError


@given(st.binary(max_size=100))
def test_base64_is_read_back(data: bytes) -> None:
    assert from_base64(to_base64(data), "x", limit_bytes=100) == data


@pytest.mark.parametrize("text", ["QQ", "QR==", "QQ==\n", " QQ==", "Q-==", "QQ==QQ==", "====", "é"])
def test_base64_that_is_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        from_base64(text, "x", limit_bytes=100)


def test_base64_over_the_limit_is_refused() -> None:
    with pytest.raises(MalformedError):
        from_base64(to_base64(bytes(11)), "x", limit_bytes=10)


@pytest.mark.parametrize("size", [0, 9, 11, 12])
def test_base64_of_another_size_is_refused(size: int) -> None:
    assert exact_base64(to_base64(bytes(size)), "x", size=size) == bytes(size)
    with pytest.raises(MalformedError):
        exact_base64(to_base64(bytes(size)), "x", size=10)


@pytest.mark.parametrize("text", ["AB", "a", "abc", "zz", "ab cd", "", "abcd"])
def test_hexadecimal_has_one_form_and_one_size(text: str) -> None:
    with pytest.raises(MalformedError):
        from_hex(text, "x", size=1)


@given(st.binary(max_size=100))
def test_base64url_is_read_back(data: bytes) -> None:
    assert from_base64url(to_base64url(data), "x", limit_bytes=100) == data


@pytest.mark.parametrize(
    "text", ["Q", "QR", "QQ==", "QQ\n", " QQ", "Q+", "Q/", "é", "\u0661\u0661"]
)
def test_base64url_that_is_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        from_base64url(text, "x", limit_bytes=100)
