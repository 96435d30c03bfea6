"""What a worker signs to be in a registry: its application, and its heartbeats.

The host asks for both, and carries them there. It chooses the address, which is its own; it cannot
make evidence over another manifest, nor a heartbeat of another time.
"""

from typing import Final

from adyton.codec.json import canonical
from adyton.codec.text import to_base64
from adyton.crypto.hashing import sha256
from adyton.crypto.signing import SigningKey
from adyton.errors import MalformedError
from adyton.model.ports import Clock
from adyton.model.registry import (
    HEARTBEAT_DOMAIN,
    REGISTRATION_DOMAIN,
    Beat,
    Heartbeat,
    Registration,
)
from adyton.worker.identity import Attester

__all__ = ["Enrolment"]

_MAX_ENDPOINT: Final = 256


class Enrolment:
    """Speaks for one worker, with the key that it is named after."""

    def __init__(self, *, attester: Attester, signer: SigningKey, clock: Clock) -> None:
        self._attester, self._signer, self._clock = attester, signer, clock
        self._last = 0

    async def apply(self, challenge: bytes, endpoint: object) -> bytes:
        """Return the application to post: evidence over ``challenge``, signed with ``endpoint``."""
        if not isinstance(endpoint, str) or len(endpoint) > _MAX_ENDPOINT:
            raise MalformedError(f"endpoint is not a text of up to {_MAX_ENDPOINT} characters")
        manifest = self._attester.manifest
        evidence = await self._attester.attest(challenge)
        registration = Registration(
            challenge=challenge,
            endpoint=endpoint,
            manifest_sha256=sha256(manifest.to_bytes()),
            evidence_sha256=sha256(evidence),
        )
        signature = self._signer.sign(REGISTRATION_DOMAIN, registration.to_bytes())
        return canonical(
            {
                "manifest": manifest.to_json(),
                "challenge": to_base64(challenge),
                "endpoint": endpoint,
                "evidence": to_base64(evidence),
                "signature": to_base64(signature),
            }
        )

    def beat(self, state: object) -> bytes:
        """Return the heartbeat to post, of now, and later than the one before."""
        if not isinstance(state, str) or state not in set(Beat):
            raise MalformedError(f"state is not {' or '.join(Beat)}")
        now = int(self._clock().timestamp() * 1000)
        # A clock may stand, or be set back a little: what is signed goes forward.
        self._last = max(self._last + 1, now)
        heartbeat = Heartbeat(
            worker=sha256(self._signer.public).hex(), state=Beat(state), time=self._last
        )
        return canonical(
            {
                "state": state,
                "time": heartbeat.time,
                "signing_key": to_base64(self._signer.public),
                "signature": to_base64(self._signer.sign(HEARTBEAT_DOMAIN, heartbeat.to_bytes())),
            }
        )
