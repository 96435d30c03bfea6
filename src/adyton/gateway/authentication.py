"""Who calls: an API key, in ``Authorization: Bearer`` or ``X-API-Key``."""

from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers

from adyton.adapters.store.records import ApiKey, Presented, Scope
from adyton.gateway.ports import Keys
from adyton.gateway.problems import ScopeRejectedError, UnauthenticatedError
from adyton.model.ports import Clock

__all__ = ["Authentication"]

# How long a revoked key may still be let in; also what spares the store most look-ups.
_REMEMBERED_SECONDS: Final = 5.0
_REMEMBERED_KEYS: Final = 1024


class Authentication:
    """Finds the key that a request presents, and remembers it for a few seconds."""

    def __init__(self, keys: Keys, *, clock: Clock, monotonic: Callable[[], float]) -> None:
        self._keys, self._clock, self._monotonic = keys, clock, monotonic
        self._remembered: dict[str, tuple[ApiKey, float]] = {}

    async def caller(self, headers: Headers, scope: Scope) -> ApiKey:
        """Return the key of the caller.

        1. a key is presented, and in one place only;
        2. the store knows it, and the secret is its secret;
        3. it has neither expired nor been revoked;
        4. it has ``scope``.

        Raises ``UnauthenticatedError`` for 1 to 3, alike, and ``ScopeRejectedError`` for 4.
        """
        # Step 1
        presented = _presented(headers)
        if presented is None:
            raise UnauthenticatedError
        # Step 2
        key = await self._find(presented.id)
        if key is None or not presented.is_secret_of(key):
            raise UnauthenticatedError
        # Step 3
        if not key.is_usable(self._clock()):
            raise UnauthenticatedError
        # Step 4
        if scope not in key.scopes:
            raise ScopeRejectedError(scope=scope)
        return key

    async def _find(self, key_id: str) -> ApiKey | None:
        now = self._monotonic()
        found = self._remembered.get(key_id)
        if found is not None and now < found[1]:
            return found[0]
        key = await self._keys.find(key_id)
        self._remembered.pop(key_id, None)
        # Only keys that exist: strangers' guesses must not push them out.
        if key is not None:
            if len(self._remembered) >= _REMEMBERED_KEYS:
                del self._remembered[next(iter(self._remembered))]
            self._remembered[key_id] = (key, now + _REMEMBERED_SECONDS)
        return key


def _presented(headers: Headers) -> Presented | None:
    authorizations = headers.getlist("authorization")
    texts = headers.getlist("x-api-key")
    for authorization in authorizations:
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return None
        texts.append(text.strip())
    # Two keys in one request: whoever sent the second one may not be who sent the first.
    return Presented.from_text(texts[0]) if len(texts) == 1 else None
