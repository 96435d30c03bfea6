"""A commit as bytes: one file as the body, or files in a form (multipart/form-data, RFC 7578).

They are hashed as they come in. Of a file nothing is kept but its digest, neither in memory nor on
a disk.
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from adyton.codec.javascript import loads
from adyton.errors import MalformedError
from adyton.gateway.notary.reading import read_metadata
from adyton.gateway.problems import (
    BodyTooLargeError,
    BodyTooSlowError,
    CallerGoneError,
    MediaTypeError,
)
from adyton.ledger.records import Submission

__all__ = ["MAX_UPLOAD_BYTES", "is_upload", "read_upload"]

MAX_UPLOAD_BYTES: Final = 64 * 1024 * 1024
_WITHIN: Final = timedelta(seconds=60)
_OCTETS: Final = "application/octet-stream"
_FORM: Final = "multipart/form-data"
_MOST_FILES: Final = 256
_METADATA: Final = b"metadata"
_MAX_METADATA_TEXT: Final = 64 * 1024
_MAX_BOUNDARY: Final = 70
_MOST_HEADERS: Final = 8
_MAX_HEADER_BYTES: Final = 4096
# Base64 in a form would be hashed as base64: RFC 7578, section 4.7, has it no more.
_AS_IT_IS: Final = frozenset({b"", b"7bit", b"8bit", b"binary"})


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


def is_upload(request: Request) -> bool:
    """Whether the body of ``request`` is bytes to hash, by its media type."""
    return _media_type(request) in {_OCTETS, _FORM}


async def read_upload(request: Request, *, key: bytes) -> Submission:
    """Return the submission of the file, or of all the files of the form, in ``request``.

    Raises ``MalformedError``, ``MediaTypeError``, ``BodyTooLargeError``, ``BodyTooSlowError`` or
    ``CallerGoneError``.
    """
    if "content-encoding" in request.headers:
        # Else the proof would be about something that nobody has.
        raise MediaTypeError(wanted="what is committed, as it is")
    if _media_type(request) == _OCTETS:
        hashed = hashlib.sha256()
        await _feed(request, hashed.update)
        return Submission(digests=(hashed.digest(),), key=key)
    form = Form(request.headers.get("content-type", ""))
    await _feed(request, form.feed)
    return form.submission(key=key)


class Form:
    """A form that is read as it comes in, and what it holds so far.

    1. it is delimited as its ``Content-Type`` says, up to its end;
    2. each part names itself, and comes without an encoding of its own;
    3. a part with a file's name is a file; ``metadata`` is JSON, once, and nothing else is there:
       no member that would silently not be signed.
    """

    def __init__(self, content_type: str) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not 0 < len(boundary) <= _MAX_BOUNDARY:
            raise MalformedError(f"the form has no boundary of 1 to {_MAX_BOUNDARY} characters")
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._named,
                "on_header_value": self._valued,
                "on_header_end": self._headed,
                "on_headers_finished": self._open,
                "on_part_data": self._take,
                "on_part_end": self._close,
                "on_end": self._end,
            },
            max_header_count=_MOST_HEADERS,
            max_header_size=_MAX_HEADER_BYTES,
        )
        self._name, self._value = bytearray(), bytearray()
        self._headers: dict[bytes, bytes] = {}
        self._file: _Hash | None = None
        self._digests: list[bytes] = []
        self._metadata: bytearray | None = None
        self._is_whole = False

    def feed(self, data: bytes) -> None:
        """Read on, or raise ``MalformedError``."""
        # Step 1
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise MalformedError("the form is not delimited as its content type says") from error

    def submission(self, *, key: bytes) -> Submission:
        """Return what the whole form asks for, or raise ``MalformedError``."""
        # Step 1: what was cut off is not committed as if it were all.
        if not self._is_whole:
            raise MalformedError("the form ends before its last boundary")
        if not self._digests:
            raise MalformedError("the form has no file")
        metadata = b""
        if self._metadata is not None:
            value = loads(bytes(self._metadata), limit_bytes=_MAX_METADATA_TEXT)
            metadata = read_metadata(value, copies=len(self._digests))
        return Submission(digests=tuple(self._digests), metadata=metadata, key=key)

    def _begin(self) -> None:
        self._headers.clear()

    def _named(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _valued(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _headed(self) -> None:
        name = bytes(self._name).lower()
        if name in self._headers:
            raise MalformedError("a part of the form has a header twice")
        self._headers[name] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _open(self) -> None:
        # Step 2
        if self._headers.get(b"content-transfer-encoding", b"").strip().lower() not in _AS_IT_IS:
            raise MalformedError("a part of the form is encoded; send files as they are")
        disposition = self._headers.get(b"content-disposition", b"").decode("latin-1")
        kind, options = parse_options_header(disposition)
        if kind != b"form-data" or b"name" not in options:
            raise MalformedError("a part of the form has no name")
        # Step 3
        if b"filename" in options:
            if len(self._digests) == _MOST_FILES:
                raise MalformedError(f"the form has more than {_MOST_FILES} files")
            self._file = hashlib.sha256()
            return
        if options[b"name"] != _METADATA or self._metadata is not None:
            name = options[b"name"][:64].decode("utf-8", "replace")
            raise MalformedError(f"the form has the unknown or repeated field {name!r}")
        self._metadata = bytearray()

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.update(data[start:end])
        elif self._metadata is not None:
            self._metadata += data[start:end]
            if len(self._metadata) > _MAX_METADATA_TEXT:
                raise MalformedError(f"metadata have more than {_MAX_METADATA_TEXT} bytes")

    def _close(self) -> None:
        if self._file is not None:
            self._digests.append(self._file.digest())
            self._file = None

    def _end(self) -> None:
        self._is_whole = True


async def _feed(request: Request, take: Callable[[bytes], None]) -> None:
    """Give ``take`` the body, a piece at a time, within limits."""
    size = 0
    try:
        async with asyncio.timeout(_WITHIN.total_seconds()):
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_UPLOAD_BYTES:
                    raise BodyTooLargeError(limit_bytes=MAX_UPLOAD_BYTES)
                take(chunk)
    except TimeoutError as error:
        raise BodyTooSlowError(within=_WITHIN) from error
    except ClientDisconnect as error:
        raise CallerGoneError from error


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
