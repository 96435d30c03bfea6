"""Limits: requests a minute, at a time, and a day. Who is over one is told so at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from adyton.adapters.store.records import ApiKey
from adyton.gateway.ports import Usage
from adyton.gateway.problems import OverloadedError, TooManyRequestsError
from adyton.gateway.settings import GatewayLimits

__all__ = ["Limiter", "TokenBucket"]

# A second's worth at the least, so that a burst of callers at one moment is no offence.
_BURST_SECONDS: Final = 10
_MINUTE: Final = 60.0
_IDLE_KEYS: Final = 1024
_ANONYMOUS_PER_MINUTE: Final = 600


@dataclass(slots=True)
class TokenBucket:
    """``rate`` tokens a second, ``burst`` at the most; it starts full."""

    rate: float
    burst: float
    tokens: float
    last: float

    @classmethod
    def per_minute(cls, count: int, *, now: float) -> "TokenBucket":
        """Return a bucket for ``count`` requests a minute, a sixth of them at once."""
        rate = count / _MINUTE
        burst = max(1.0, rate * _BURST_SECONDS)
        return cls(rate, burst, burst, now)

    def take(self, now: float) -> float:
        """Take a token and return 0, or return in how many seconds there is one."""
        self.tokens = min(self.burst, self.tokens + (now - self.last) * self.rate)
        self.last = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate

    def is_full(self, now: float) -> bool:
        """Whether nobody would notice if this bucket were forgotten."""
        return self.tokens + (now - self.last) * self.rate >= self.burst


class Limiter:
    """Counts what is in work, and how fast requests come. Its memory is bounded by the keys."""

    def __init__(
        self,
        limits: GatewayLimits,
        usage: Usage,
        *,
        monotonic: Callable[[], float],
        anonymous_per_minute: int = _ANONYMOUS_PER_MINUTE,
    ) -> None:
        self._limits, self._usage, self._monotonic = limits, usage, monotonic
        self._buckets: dict[str, TokenBucket] = {}
        self._anonymous = TokenBucket.per_minute(anonymous_per_minute, now=monotonic())
        self._in_flight: dict[str, int] = {}
        self.in_flight = 0

    def check_rate(self, key: ApiKey) -> None:
        """Raise ``TooManyRequestsError`` where the key's requests come too fast."""
        now = self._monotonic()
        per_minute = key.limits.per_minute or self._limits.key_per_minute
        bucket = self._buckets.get(key.id)
        if bucket is None or bucket.rate != per_minute / _MINUTE:
            self._forget_idle(now)
            bucket = self._buckets[key.id] = TokenBucket.per_minute(per_minute, now=now)
        if wait := bucket.take(now):
            raise TooManyRequestsError(
                limit=f"{per_minute} requests a minute", retry_after=timedelta(seconds=wait)
            )

    def check_anonymous_rate(self) -> None:
        """Raise ``OverloadedError`` where callers without a key ask the worker too often."""
        if self._anonymous.take(self._monotonic()):
            raise OverloadedError

    @contextmanager
    def place(self, key: ApiKey) -> Iterator[None]:
        """Hold a place for one request; ``OverloadedError``, ``TooManyRequestsError`` if none."""
        if self.in_flight >= self._limits.in_flight:
            raise OverloadedError
        limit = key.limits.in_flight or self._limits.key_in_flight
        used = self._in_flight.get(key.id, 0)
        if used >= limit:
            raise TooManyRequestsError(
                limit=f"{limit} requests at a time", retry_after=timedelta(seconds=1)
            )
        self._in_flight[key.id] = used + 1
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
            left = self._in_flight[key.id] - 1
            if left:
                self._in_flight[key.id] = left
            else:
                del self._in_flight[key.id]

    async def check_day(self, key: ApiKey, *, now: datetime) -> None:
        """Count one question of the key's day, or raise ``TooManyRequestsError``."""
        if (limit := key.limits.per_day) is None:
            return
        if not await self._usage.take(key.id, day=now.date(), limit=limit):
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            raise TooManyRequestsError(
                limit=f"{limit} questions a day (UTC)", retry_after=midnight - now
            )

    def _forget_idle(self, now: float) -> None:
        if len(self._buckets) >= _IDLE_KEYS:
            self._buckets = {
                key_id: bucket
                for key_id, bucket in self._buckets.items()
                if not bucket.is_full(now)
            }
