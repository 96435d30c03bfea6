"""A host that does not play fair, for the demonstration: it changes a request on the way."""

from collections.abc import Callable

import httpx

from adyton.codec.json import Json, JsonObject, as_object, canonical, loads

__all__ = ["Hostile"]

_LIMIT = 1024 * 1024


class Hostile(httpx.AsyncBaseTransport):
    """The way to a gateway, with somebody on it.

    ``change`` rewrites the next question and is then forgotten; ``repeat`` sends the one before in
    its place. Without either, everything passes as it is.
    """

    def __init__(self) -> None:
        self._way = httpx.AsyncHTTPTransport()
        self._before: bytes | None = None
        self.change: Callable[[JsonObject], JsonObject] | None = None
        self.repeat = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on, or what the host makes of it."""
        if request.method != "POST":
            return await self._way.handle_async_request(request)
        body = request.content
        if self.repeat and self._before is not None:
            body = self._before
        elif self.change is not None:
            body = canonical(self.change(as_object(loads(body, limit_bytes=_LIMIT), "a question")))
        self._before, self.change, self.repeat = body, None, False
        headers = {**request.headers, "content-length": str(len(body))}
        sent = httpx.Request(request.method, request.url, headers=headers, content=body)
        return await self._way.handle_async_request(sent)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._way.aclose()


def with_threshold(question: JsonObject, threshold: Json) -> JsonObject:
    """Return ``question`` with another threshold."""
    predicate = as_object(question["predicate"], "predicate")
    return {**question, "predicate": {**predicate, "threshold": threshold}}
