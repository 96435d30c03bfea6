"""What a worker is: its keys, gone when the process ends, and its evidence, renewed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from adyton.crypto.binding import MAX_CHALLENGE_BYTES, report_data
from adyton.crypto.hpke import OpeningKey
from adyton.crypto.signing import SigningKey
from adyton.errors import MalformedError
from adyton.flow.ports import Platform
from adyton.model.manifest import Manifest
from adyton.model.ports import Clock

__all__ = ["Attester", "ChallengeMalformedError", "Keys", "check_challenge"]

# Evidence without a challenge is as fresh as this; who wants it fresher sends a challenge.
_RENEW: Final = timedelta(minutes=5)


class ChallengeMalformedError(MalformedError):
    """A challenge is longer than evidence can carry."""

    code = "challenge-malformed"

    def __init__(self, *, size: int) -> None:
        super().__init__(f"a challenge has {size} bytes, the limit is {MAX_CHALLENGE_BYTES}")
        self.size = size


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Keys:
    """The private keys: one opens what is sealed, one signs statements."""

    opening: OpeningKey
    signing: SigningKey

    @classmethod
    def generate(cls) -> "Keys":
        """Return fresh keys."""
        return cls(opening=OpeningKey.generate(), signing=SigningKey())


class Attester:
    """Evidence over one manifest: kept for a while without a challenge, fresh with one."""

    def __init__(self, *, manifest: Manifest, platform: Platform, clock: Clock) -> None:
        self.manifest = manifest
        self._platform, self._clock = platform, clock
        self._kept: tuple[bytes, datetime] | None = None

    async def evidence(self, expected: bytes, challenge: bytes | None, public_key: bytes) -> bytes:
        """Return evidence over ``expected``: a ``Platform`` that keeps what it may keep."""
        if challenge:
            return await self._platform.evidence(expected, challenge, public_key)
        now = self._clock()
        if self._kept is None or now - self._kept[1] >= _RENEW or now < self._kept[1]:
            evidence = await self._platform.evidence(expected, None, public_key)
            self._kept = (evidence, now)
        return self._kept[0]

    async def attest(self, challenge: bytes) -> bytes:
        """Return evidence over the manifest and ``challenge`` (up to 64 bytes, or none)."""
        check_challenge(challenge)
        expected = report_data(self.manifest.to_bytes(), challenge)
        return await self.evidence(expected, challenge or None, self.manifest.signing_key)


def check_challenge(challenge: bytes) -> None:
    """Raise ``ChallengeMalformedError`` where evidence cannot carry ``challenge``."""
    if len(challenge) > MAX_CHALLENGE_BYTES:
        raise ChallengeMalformedError(size=len(challenge))
