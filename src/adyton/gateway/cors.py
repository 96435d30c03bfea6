"""Cross-origin requests, for paths that programs in a browser call from anywhere.

Only paths without a key have it: what any page may read, nobody's credentials must decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from adyton.gateway.routes import Handler, Operation, Route

__all__ = ["Cors"]

_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """What pages of any origin may send, and read of an answer."""

    methods: Sequence[str]
    headers: Sequence[str]
    exposed: Sequence[str] = ()

    def allow(self, handler: Handler) -> Handler:
        """Return ``handler`` with answers that a page may read."""

        async def allowed(request: Request) -> Response:
            response = await handler(request)
            response.headers["access-control-allow-origin"] = "*"
            if self.exposed:
                response.headers["access-control-expose-headers"] = ", ".join(self.exposed)
            return response

        return allowed

    def preflight(self, path: str) -> Route:
        """Return the route of what a browser asks before it sends to ``path``."""
        return Route(
            method="OPTIONS",
            path=path,
            handler=self._answer,
            operation=Operation(
                summary="What a page may send",
                text="For browsers: any origin, without credentials.",
                answer=None,
                is_open=True,
            ),
        )

    async def _answer(self, _request: Request) -> Response:
        return Response(
            status_code=204,
            headers={
                "access-control-allow-origin": "*",
                "access-control-allow-methods": ", ".join((*self.methods, "OPTIONS")),
                "access-control-allow-headers": ", ".join(self.headers),
                "access-control-max-age": str(_DAY_SECONDS),
            },
        )
