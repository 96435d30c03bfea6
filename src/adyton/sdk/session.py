"""What a client knows whatever it asks for: whom it trusts, how it seals, and its worker."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from adyton.adapters.verifier import OfflineVerifier
from adyton.appraisal.policy import Policy
from adyton.codec.text import to_base64
from adyton.crypto.hpke import SealSuite
from adyton.sdk.transport import Call, Conversation, read_json
from adyton.sdk.worker import Worker, judge_worker

__all__ = ["Session", "challenge_query", "fresh_challenge", "fresh_nonce", "now"]

_CHALLENGE_SIZE: Final = 32
_NONCE_SIZE: Final = 24
# A worker's evidence, once judged, is not asked for again within this time.
_TRUSTED_FOR: Final = timedelta(minutes=2)


class Session:
    """One policy, one suite, one verifier, and the worker that was judged last."""

    def __init__(
        self, *, policy: Policy, suite: SealSuite, verifier: OfflineVerifier | None
    ) -> None:
        self.policy, self.suite = policy, suite
        self._owns_verifier = verifier is None
        self.verifier = verifier or OfflineVerifier()
        self._worker: Worker | None = None

    def close(self) -> None:
        """End the verifier, unless it was given: then others may use it."""
        if self._owns_verifier:
            self.verifier.close()

    def worker(self) -> Conversation[Worker]:
        """Return the worker, judged; ``WorkerRejectedError`` where the policy refuses it."""
        if self._worker is not None and now() - self._worker.judged < _TRUSTED_FOR:
            return self._worker
        challenge = fresh_challenge()
        answer = yield Call(method="GET", path=f"/v1/attestation?{challenge_query(challenge)}")
        self._worker = judge_worker(
            read_json(answer), challenge=challenge, policy=self.policy, at=now()
        )
        return self._worker

    def forget_worker(self) -> None:
        """Judge the worker again before the next try: perhaps it was started anew."""
        self._worker = None


def fresh_challenge() -> bytes:
    """Return bytes that nobody can have had evidence made for."""
    return secrets.token_bytes(_CHALLENGE_SIZE)


def fresh_nonce() -> str:
    """Return a nonce that was never used."""
    return secrets.token_urlsafe(_NONCE_SIZE)


def challenge_query(challenge: bytes) -> str:
    """Return the query that asks for evidence over ``challenge``."""
    # RFC 4648, section 5, without padding.
    text = to_base64(challenge).replace("+", "-").replace("/", "_").rstrip("=")
    return f"challenge={text}"


def now() -> datetime:
    """Return the time, with a zone."""
    return datetime.now(UTC)
