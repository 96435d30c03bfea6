"""What vendors publish, over HTTP: one request at a time, with limits, and never a redirect.

Whoever stands in between can withhold an answer and nothing else: what comes back is as good as its
signatures, and is authenticated before it is kept.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import httpx

from adyton.errors import UnavailableError

__all__ = ["CollateralUnavailableError", "VendorService"]

_MAX_BODY_BYTES: Final = 1024 * 1024
_TIMEOUT: Final = httpx.Timeout(20, connect=5)
# For one request, however slowly its bytes come.
_DEADLINE_SECONDS: Final = 30


class CollateralUnavailableError(UnavailableError):
    """The service did not give the collateral."""

    code = "collateral-unavailable"

    def __init__(self, *, what: str, reason: str) -> None:
        super().__init__(f"{what} could not be had: {reason}")
        self.what, self.reason = what, reason


class VendorService:
    """A vendor's service. The client is the caller's, who also closes it."""

    def __init__(self, client: httpx.AsyncClient, *, limit_bytes: int = _MAX_BODY_BYTES) -> None:
        self._client = client
        self._limit_bytes = limit_bytes

    async def get(
        self, url: str, what: str, parameters: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Return the answer to a GET; raise ``CollateralUnavailableError`` where there is none."""
        request = self._client.build_request("GET", url, params=parameters, timeout=_TIMEOUT)
        return await self._send(request, what)

    async def post(self, url: str, what: str, *, content: bytes, media_type: str) -> httpx.Response:
        """Return the answer to a POST of ``content``; raise as ``get`` does."""
        headers = {"content-type": media_type}
        request = self._client.build_request(
            "POST", url, content=content, headers=headers, timeout=_TIMEOUT
        )
        return await self._send(request, what)

    async def _send(self, request: httpx.Request, what: str) -> httpx.Response:
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                return await self._limited(request, what)
        except (httpx.HTTPError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise CollateralUnavailableError(
                what=what, reason=f"{request.url.host} cannot be asked ({reason})"
            ) from error

    async def _limited(self, request: httpx.Request, what: str) -> httpx.Response:
        response = await self._client.send(request, stream=True, follow_redirects=False)
        try:
            if response.status_code != httpx.codes.OK:
                raise CollateralUnavailableError(what=what, reason=_refusal(response))
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > self._limit_bytes:
                    raise CollateralUnavailableError(
                        what=what, reason=f"it has more than {self._limit_bytes} bytes"
                    )
            return httpx.Response(
                response.status_code, headers=_plain(response), content=bytes(body)
            )
        finally:
            await response.aclose()


def _refusal(response: httpx.Response) -> str:
    text = f"the service answers {response.status_code}"
    if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
        return text
    # AMD's answers a chip's certificate once in ten seconds.
    wait = response.headers.get("retry-after", "")
    return f"{text}: too many requests; ask again in {wait if wait.isdecimal() else '10'} seconds"


def _plain(response: httpx.Response) -> list[tuple[bytes, bytes]]:
    # What the body was encoded with is undone, and must not be undone twice. As bytes: a header may
    # have any, and as text they are not taken back.
    gone = {b"content-encoding", b"content-length", b"transfer-encoding"}
    return [(name, value) for name, value in response.headers.raw if name.lower() not in gone]
