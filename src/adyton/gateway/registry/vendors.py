"""Asking vendors for the collateral of workers' evidence, some at a time and not for ever."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Self

import httpx

from adyton.adapters.collateral import Fetcher, Services
from adyton.adapters.vendors import CollateralUnavailableError
from adyton.appraisal.policy import Policy
from adyton.evidence.collateral import Collateral
from adyton.evidence.formats import Format, detect
from adyton.evidence.roots import trusted_roots

__all__ = ["Vendors"]

_WHAT: Final = "the collateral"
_AT_ONCE: Final = 4
# Less than a worker that registers waits.
_DEADLINE_SECONDS: Final = 10.0
# One that kept us waiting is left alone for a while: other workers are waiting, too.
_PAUSE: Final = timedelta(minutes=1)


class Vendors:
    """Asks ``services``; what they answer has to lead to one of ``roots``.

    ``client`` makes what asks them, once for each answer: that is a few times a day.
    """

    def __init__(
        self,
        services: Services,
        *,
        roots: Mapping[str, bytes],
        client: Callable[[], httpx.AsyncClient] = httpx.AsyncClient,
    ) -> None:
        self._services, self._roots, self._client = services, roots, client
        self._places = asyncio.Semaphore(_AT_ONCE)
        # Not those who said no: anybody's evidence can make a vendor do that.
        self._silent: dict[Format, datetime] = {}

    @classmethod
    def under(cls, policy: Policy) -> Self:
        """Return the vendors themselves, under the roots of ``policy``."""
        return cls(Services(), roots=trusted_roots(policy.vendor_roots, named=policy.named_roots))

    async def fetch(self, evidence: bytes, *, at: datetime) -> Collateral:
        """Return the collateral for ``evidence``, authentic and valid at ``at``.

        Raises as the evidence's ``authenticate`` does, and ``CollateralUnavailableError``.
        """
        kind = detect(evidence)
        if (since := self._silent.get(kind)) is not None and timedelta(0) <= at - since < _PAUSE:
            raise CollateralUnavailableError(what=_WHAT, reason="there was no answer a moment ago")
        try:
            async with (
                asyncio.timeout(_DEADLINE_SECONDS),
                self._places,
                self._client() as client,
            ):
                # A worker may have brought its chip's: lists are what is asked for.
                fetcher = Fetcher(
                    client, services=self._services, roots=self._roots, needs_vek=False
                )
                return await fetcher.fetch(evidence, at=at)
        except TimeoutError as error:
            self._silent[kind] = at
            reason = f"there was no answer within {_DEADLINE_SECONDS:g} seconds"
            raise CollateralUnavailableError(what=_WHAT, reason=reason) from error
