"""The worker's OpenPGP key, for clients of TEE-Rex, and what vouches for it.

All that evidence is over, the worker computes itself, from its own key: no call takes anything to
be quoted. A worker that quoted what its host hands it would vouch for the host's key.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from adyton.adapters.installation import KNOWN_BB_SHA256
from adyton.adapters.openpgp import require_openpgp
from adyton.adapters.platforms import PlatformName
from adyton.crypto.hashing import sha256
from adyton.crypto.openpgp import OpenPgpCurve, OpenPgpKey
from adyton.flow.ports import Platform
from adyton.model.ports import Clock

__all__ = ["OpenPgpIdentity"]

# TEE-Rex's clients take documents of up to five minutes.
_RENEW: Final = timedelta(minutes=2)
# A client whose clock is behind must not take the key for one from the future.
_KEY_SLACK: Final = timedelta(days=1)
_SGX_REPORT_DATA_SIZE: Final = 64
# What the binaries that we know call themselves; of others, nobody here knows.
_AZTEC_VERSION: Final = "5.0.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    evidence: bytes
    made: datetime


class OpenPgpIdentity:
    """A key pair that is gone when the process ends, and evidence over it, renewed."""

    def __init__(
        self, *, name: PlatformName, platform: Platform, prover: bytes, clock: Clock
    ) -> None:
        self._name, self._platform, self._clock = name, platform, clock
        # Gramine's OpenSSL knows P-256 only, and so do clients of TEE-Rex's SGX mode.
        curve = OpenPgpCurve.P256 if name is PlatformName.SGX else OpenPgpCurve.X25519
        self._key = OpenPgpKey.generate(curve, created=clock() - _KEY_SLACK)
        known = prover.hex() in KNOWN_BB_SHA256
        self._versions = {_AZTEC_VERSION: prover.hex()} if known else {}
        self._kept: _Kept | None = None

    @property
    def secret(self) -> bytes:
        """The secret half, for a cell that opens a message."""
        return self._key.secret

    async def describe(self) -> Mapping[str, Any]:
        """Return the key and what vouches for it, in TEE-Rex's mode for this platform.

        Raises ``OpenPgpMissingError`` where no message to this key could be opened.
        """
        require_openpgp()
        return {
            "mode": _MODES[self._name],
            "key": self._key.public,
            "evidence": await self._evidence(),
            "versions": self._versions,
        }

    async def _evidence(self) -> bytes:
        now = self._clock()
        if self._kept is None or not self._kept.made <= now < self._kept.made + _RENEW:
            self._kept = _Kept(evidence=await self._fresh(), made=now)
        return self._kept.evidence

    async def _fresh(self) -> bytes:
        armored = self._key.public.encode()
        match self._name:
            case PlatformName.INSECURE:
                # Nobody vouches for it, and the client is told so.
                return b""
            case PlatformName.NITRO:
                return await self._platform.evidence(self._user_data(), None, armored)
            case PlatformName.SGX:
                report_data = sha256(armored).ljust(_SGX_REPORT_DATA_SIZE, b"\0")
                return await self._platform.evidence(report_data, None, b"")

    def _user_data(self) -> bytes:
        versions = [{"version": name, "sha256": each} for name, each in self._versions.items()]
        return json.dumps({"versions": versions}, separators=(",", ":")).encode()


_MODES: Final[Mapping[PlatformName, str]] = {
    PlatformName.INSECURE: "standard",
    PlatformName.NITRO: "nitro",
    PlatformName.SGX: "sgx",
}
