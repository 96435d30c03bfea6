"""One HTTP exchange: reading within limits, noticing that the caller hung up, and answering."""

import asyncio
import binascii
import json
from base64 import b64decode
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from adyton.errors import MalformedError
from adyton.gateway.problems import (
    BodyTooLargeError,
    BodyTooSlowError,
    CallerGoneError,
    MediaTypeError,
)
from adyton.gateway.proving.room import Room
from adyton.gateway.routes import Parameter

__all__ = [
    "CHALLENGE",
    "json_response",
    "json_text_response",
    "read_body",
    "read_challenge",
    "server_timing",
    "while_caller_waits",
]

T = TypeVar("T")

_BODY_SECONDS: Final = timedelta(seconds=10)
_CHALLENGE_BYTES: Final = 64
CHALLENGE: Final = Parameter(
    name="challenge",
    text=f"up to {_CHALLENGE_BYTES} bytes, base64url or base64: evidence made for this request",
    schema={"type": "string", "contentEncoding": "base64url"},
)
# RFC 4648, section 5.
_FROM_URL_SAFE: Final = str.maketrans("-_", "+/")


async def read_body(
    request: Request,
    *,
    limit_bytes: int,
    within: timedelta = _BODY_SECONDS,
    media_type: str | None = "application/json",
    share: Room | None = None,
) -> bytes:
    """Return the body, without ever holding more of it than ``limit_bytes``.

    A long one is counted in ``share`` while it comes in; with ``None`` for a media type, any will
    do. Raises ``MediaTypeError``,
    ``BodyTooLargeError``, ``BodyTooSlowError``, ``CallerGoneError`` or ``OverloadedError``.
    """
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in {None, found} or "content-encoding" in request.headers:
        raise MediaTypeError(wanted=media_type or "plain")
    length = request.headers.get("content-length", "")
    # Refused before it is sent, where the caller says so; the stream is counted all the same.
    if length.isdigit() and int(length[:20]) > limit_bytes:
        raise BodyTooLargeError(limit_bytes=limit_bytes)
    body = bytearray()
    try:
        async with asyncio.timeout(within.total_seconds()):
            async for chunk in request.stream():
                if share is not None:
                    share.take(len(chunk))
                body += chunk
                if len(body) > limit_bytes:
                    raise BodyTooLargeError(limit_bytes=limit_bytes)
    except TimeoutError as error:
        raise BodyTooSlowError(within=within) from error
    except ClientDisconnect as error:
        raise CallerGoneError from error
    return bytes(body)


def read_challenge(request: Request) -> bytes:
    """Return the challenge in the query, base64 or base64url, empty where there is none."""
    texts = request.query_params.getlist("challenge")
    if not texts:
        return b""
    if len(texts) > 1:
        raise MalformedError("there is more than one challenge")
    # A plus sign that nobody escaped arrives as a space, which base64 does not have.
    text = texts[0].replace(" ", "+").rstrip("=")
    text = text.translate(_FROM_URL_SAFE)
    try:
        challenge = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("the challenge is not base64") from error
    if not 0 < len(challenge) <= _CHALLENGE_BYTES:
        raise MalformedError(f"the challenge is not 1 to {_CHALLENGE_BYTES} bytes")
    return challenge


async def while_caller_waits(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` returns; cancel it and raise ``CallerGoneError`` if the caller hangs up.

    The body must have been read: what the connection says next is that it has ended.
    """
    working = asyncio.ensure_future(work)
    hanging_up = asyncio.ensure_future(_hang_up(request))
    try:
        await asyncio.wait({working, hanging_up}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise CallerGoneError
        return working.result()
    finally:
        hanging_up.cancel()
        if not working.done():
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue


def json_response(value: object, *, status: int = 200) -> Response:
    """Return ``value`` as an answer that nobody keeps."""
    return json_text_response(json.dumps(value, ensure_ascii=False).encode(), status=status)


def json_text_response(text: bytes, *, status: int = 200) -> Response:
    """Return JSON that is written already as an answer that nobody keeps."""
    return Response(
        text,
        status_code=status,
        media_type="application/json",
        headers={"cache-control": "no-store"},
    )


def server_timing(timings: Mapping[str, float]) -> str:
    """Return milliseconds by step as the header ``Server-Timing`` has them."""
    return ", ".join(f"{name};dur={ms:.1f}" for name, ms in timings.items())
