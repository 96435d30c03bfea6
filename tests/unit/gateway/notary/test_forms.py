"""A form of files: what is hashed is what each file has, however the bytes come in."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.codec.javascript import canonical
from adyton.errors import MalformedError
from adyton.gateway.notary.forms import Form
from adyton.ledger.records import Submission

BOUNDARY = "----a-boundary"
TYPE = f'multipart/form-data; boundary="{BOUNDARY}"'
# What a file may hold that looks like a delimiter, and is none.
ALMOST = (
    b"\r",
    b"\n",
    b"\r\n",
    b"-",
    b"--",
    b"\r\n--",
    b"\r\n------a-boundar",
    b"y-",
    b"yx",
    b"\0",
)
FILES = st.lists(st.lists(st.sampled_from(ALMOST)).map(b"".join), min_size=1, max_size=3).filter(
    lambda files: not any(b"\r\n--" + BOUNDARY.encode() in b"\r\n" + each for each in files)
)


def part(name: str, data: bytes, *, filename: str | None = "a file", more: bytes = b"") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"'
    if filename is not None:
        head += f'; filename="{filename}"'
    return f"--{BOUNDARY}\r\n{head}\r\n".encode() + more + b"\r\n" + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join((*parts, f"--{BOUNDARY}--\r\n".encode()))


def read(*chunks: bytes, content_type: str = TYPE, key: bytes = b"") -> Submission:
    made = Form(content_type)
    for chunk in chunks:
        made.feed(chunk)
    return made.submission(key=key)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def test_each_file_is_hashed_and_the_metadata_are_read() -> None:
    metadata = part("metadata", b'{"b": 1.0, "a": "x"}', filename=None)
    found = read(form(part("one", b"first"), metadata, part("two", b"")), key=b"k")
    assert found.digests == (sha256(b"first"), sha256(b""))
    assert found.metadata == canonical({"a": "x", "b": 1})
    assert found.key == b"k"


@given(files=FILES, size=st.integers(1, 40))
def test_a_file_is_what_it_was_however_the_form_is_cut(files: list[bytes], size: int) -> None:
    whole = form(*(part("file", each) for each in files))
    chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert read(*chunks).digests == tuple(map(sha256, files))


@given(end=st.integers(0, 200))
def test_a_form_that_is_cut_off_commits_nothing(end: int) -> None:
    whole = form(part("one", b"first"), part("two", b"second"))
    last = whole.rindex(b"--\r\n")
    with pytest.raises(MalformedError):
        read(whole[: min(end, last + 1)])


@given(data=st.binary(max_size=300))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    for body in (data, form(data), form(part("one", data), data)):
        try:
            found = read(body)
        except MalformedError:
            continue
        assert found.digests


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        ("multipart/form-data", form(part("a", b"")), "boundary"),
        ("multipart/form-data; boundary=", form(part("a", b"")), "boundary"),
        (f"multipart/form-data; boundary={'x' * 71}", b"", "boundary"),
        (TYPE, form(), "has no file"),
        (TYPE, b"", "before its last boundary"),
        (TYPE, b"--another\r\n", "not delimited"),
        (TYPE, form(part("other", b"x", filename=None)), "unknown or repeated field 'other'"),
        (TYPE, form(*[part("metadata", b"{}", filename=None)] * 2), "repeated field 'metadata'"),
        (TYPE, form(part("a", b""), part("metadata", b"[]", filename=None)), "not an object"),
        (TYPE, form(part("a", b""), part("metadata", b"{", filename=None)), "not json"),
        (TYPE, form(part("metadata", b" " * 65_537, filename=None)), "metadata have more"),
        (
            TYPE,
            form(part("a", b"eA==", more=b"Content-Transfer-Encoding: base64\r\n")),
            "is encoded",
        ),
        (
            TYPE,
            form(part("a", b"x", more=b"CONTENT-DISPOSITION: form-data; name=b\r\n")),
            "a header twice",
        ),
        (TYPE, f"--{BOUNDARY}\r\n\r\nx\r\n--{BOUNDARY}--".encode(), "has no name"),
        (TYPE, form(part("a", b"", more=b"X: " + b"x" * 5000 + b"\r\n")), "not delimited"),
        (TYPE, form(*[part("a", b"x")] * 257), "more than 256 files"),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)
def test_what_would_mean_something_else_is_refused(
    content_type: str, body: bytes, reason: str
) -> None:
    with pytest.raises(MalformedError, match=reason):
        read(body, content_type=content_type)
