"""What vendors publish about workers' platforms: asked of them, or as the worker brought it.

A worker brings what it likes of all that its vendor signed and that is valid still: a list from
before its own certificate was taken back, an evaluation from before the newest. What the registry
asks for itself is of now. Where a vendor gives no answer, what there is counts for as long as it is
valid itself: an outage takes no trust from anybody, and gives none.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from adyton.errors import AdytonError
from adyton.evidence.collateral import NO_COLLATERAL, Collateral
from adyton.evidence.formats import Format, detect
from adyton.model.registry import UsedCollateral

__all__ = ["Endorsements", "Source", "collateral_of"]

# A chip's certificate is given once in ten seconds, and none of it changes within hours.
_FRESH: Final = timedelta(hours=6)
# Documents of Nitro bring all that they need, and nobody is asked about a token's issuer.
_ALONE: Final = frozenset({Format.NITRO, Format.TOKEN})

_log = logging.getLogger(__name__)


class Source(Protocol):
    """Whoever has collateral: the vendors (``vendors``)."""

    async def fetch(self, evidence: bytes, *, at: datetime) -> Collateral:
        """Return the collateral for ``evidence``, authentic and valid at ``at``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsements:
    """Has the collateral for evidence; with ``None`` for a source, it is what workers bring."""

    source: Source | None

    async def beside(
        self, evidence: bytes, used: UsedCollateral, *, now: datetime
    ) -> UsedCollateral:
        """Return what ``evidence`` is to be held against: new if it can be had, else ``used``.

        What is new was signed by the vendor, and is valid. Raises ``MalformedError`` where ``used``
        is none; what is wrong with the evidence itself is for its verdict to say.
        """
        if self.source is None or _is_fresh(used, now):
            return used
        known = collateral_of(used)
        try:
            if detect(evidence) in _ALONE:
                return used
            found = await self.source.fetch(evidence, at=now)
        except AdytonError as error:
            _log.warning("collateral-not-fetched", extra={"code": error.code})
            return used
        return UsedCollateral(file=_together(found, known).to_bytes(), fetched=now)


def collateral_of(used: UsedCollateral) -> Collateral:
    """Return the collateral in its file."""
    return Collateral.from_bytes(used.file) if used.file else NO_COLLATERAL


def _is_fresh(used: UsedCollateral, now: datetime) -> bool:
    return used.fetched is not None and timedelta(0) <= now - used.fetched < _FRESH


def _together(found: Collateral, known: Collateral) -> Collateral:
    """Return ``found``, with a certificate that AMD did not give.

    That is one of an operator's key (VLEK), or of a chip whose host has it withheld.
    """
    if found.amd is None or found.amd.vek is not None or known.amd is None:
        return found
    return replace(found, amd=replace(found.amd, vek=known.amd.vek))
