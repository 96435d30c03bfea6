"""Where every caller with a key comes in."""

from dataclasses import dataclass

from starlette.requests import Request

from adyton.adapters.store.records import ApiKey, Scope
from adyton.gateway.authentication import Authentication
from adyton.gateway.limits import Limiter
from adyton.gateway.observer import record_of

__all__ = ["Door"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Lets callers in, and counts them."""

    authentication: Authentication
    limiter: Limiter

    async def admit(self, request: Request, scope: Scope) -> ApiKey:
        """Return the key of the caller.

        1. the request presents a key that is valid, and has ``scope``;
        2. the key has not come too often in the last minute.

        Raises ``UnauthenticatedError``, ``ScopeRejectedError`` or ``TooManyRequestsError``.
        """
        # Step 1
        key = await self.authentication.caller(request.headers, scope)
        record_of(request.scope).key_id = key.id
        # Step 2
        self.limiter.check_rate(key)
        return key
