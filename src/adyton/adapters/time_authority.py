"""Asking an authority for the time on a checkpoint (RFC 3161, section 3.4), within limits.

The authority learns a digest. What it answers is verified by whoever reads it, under the roots that
they accept; here it only has to be an answer.
"""

import asyncio
from datetime import timedelta
from typing import Final

import httpx

from adyton.crypto.timestamp import MAX_TIMESTAMP_BYTES, timestamp_request
from adyton.errors import UnavailableError

__all__ = ["TimeAuthorityUnavailableError", "ask_time"]

_WITHIN: Final = timedelta(seconds=10)
_QUERY: Final = "application/timestamp-query"
_REPLY: Final = "application/timestamp-reply"


class TimeAuthorityUnavailableError(UnavailableError):
    """The time stamp authority did not answer as one."""

    code = "time-authority-unavailable"

    def __init__(self, *, url: str, reason: str) -> None:
        super().__init__(f"the time stamp authority at {url} {reason}")
        self.url = url


async def ask_time(
    url: str,
    message: bytes,
    *,
    within: timedelta = _WITHIN,
    transport: httpx.AsyncBaseTransport | None = None,
) -> bytes:
    """Return the answer of the authority at ``url`` for ``message``, unverified."""
    headers = {"Content-Type": _QUERY, "Accept": _REPLY, "Accept-Encoding": "identity"}
    received = bytearray()
    try:
        async with (
            asyncio.timeout(within.total_seconds()),
            httpx.AsyncClient(timeout=None, transport=transport) as http,  # noqa: S113  # it is around
            http.stream(
                "POST", url, content=timestamp_request(message), headers=headers
            ) as response,
        ):
            if response.status_code != httpx.codes.OK:
                reason = f"answered with status {response.status_code}"
                raise TimeAuthorityUnavailableError(url=url, reason=reason)
            if response.headers.get("content-type", "").partition(";")[0].strip() != _REPLY:
                raise TimeAuthorityUnavailableError(url=url, reason="answered something else")
            # A little that is compressed can be much: the limit would come too late.
            if response.headers.get("content-encoding", "identity") != "identity":
                raise TimeAuthorityUnavailableError(url=url, reason="compressed its answer")
            async for chunk in response.aiter_bytes():
                received += chunk
                if len(received) > MAX_TIMESTAMP_BYTES:
                    raise TimeAuthorityUnavailableError(url=url, reason="answered too much")
    except TimeoutError as error:
        reason = f"did not answer within {within.total_seconds():g} s"
        raise TimeAuthorityUnavailableError(url=url, reason=reason) from error
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ExceptionGroup) as error:
        # The last two: a host that cannot have its name, and a port that is none.
        raise TimeAuthorityUnavailableError(url=url, reason="cannot be reached") from error
    return bytes(received)
