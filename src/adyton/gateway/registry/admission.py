"""How a worker gets into the registry: it proves who it is, and what it runs."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from adyton.adapters.store.registry import EvidenceRequiredError, RegistryTable
from adyton.appraisal.document import Choice
from adyton.appraisal.policy import Policy
from adyton.codec.json import loads
from adyton.crypto.hashing import sha256
from adyton.crypto.signing import check_signature
from adyton.errors import MalformedError, RejectedError, UnavailableError
from adyton.gateway.ports import Appraiser
from adyton.gateway.registry.endorsements import Endorsements, collateral_of
from adyton.gateway.registry.reading import (
    BODY_BYTES,
    CHALLENGE_SIZE,
    Application,
    Beaten,
)
from adyton.gateway.registry.settings import RegistrySettings, Unattested
from adyton.model.claims import Claims, Platform
from adyton.model.manifest import Manifest
from adyton.model.registry import (
    HEARTBEAT_DOMAIN,
    REGISTRATION_DOMAIN,
    Attestation,
    Exhibit,
    RegisteredWorker,
    State,
    UsedCollateral,
)
from adyton.model.verdict import Verdict
from adyton.model.window import CLOCK_TOLERANCE

__all__ = [
    "Admission",
    "ChallengeRejectedError",
    "EvidenceRefusedError",
    "HeartbeatTimeError",
    "RegistryWithoutPolicyError",
]

_CHALLENGE_LIFE: Final = timedelta(minutes=5)
_SHOWN_REASONS: Final = 3
_MAX_MESSAGE: Final = 400
# The widths of the measurements' columns: what is longer is in the evidence, and not searched for.
_NAME_WIDTH: Final = 64
_VALUE_SIZE: Final = 64
_MEASUREMENTS: Final = 128


class ChallengeRejectedError(RejectedError):
    """The challenge is not one that this key was given, or it was used, or is too old."""

    code = "challenge-rejected"

    def __init__(self) -> None:
        super().__init__("the challenge was not given to this key lately, or has been used")


class EvidenceRefusedError(RejectedError):
    """The registry's policy does not accept a worker's evidence."""

    code = "evidence-refused"

    def __init__(self, verdict: Verdict) -> None:
        reasons = [f"{found.code}: {found.message}" for found in verdict.reasons[:_SHOWN_REASONS]]
        super().__init__(
            f"the evidence is not acceptable here: {'; '.join(reasons)}"[:_MAX_MESSAGE]
        )
        self.verdict = verdict


class HeartbeatTimeError(RejectedError):
    """A heartbeat was made at another time than now."""

    code = "heartbeat-out-of-time"

    def __init__(self) -> None:
        super().__init__("the heartbeat's time is more than a minute from the registry's")


class RegistryWithoutPolicyError(UnavailableError):
    """The operator has said nothing about which evidence is acceptable, so none is."""

    code = "registry-without-policy"

    def __init__(self) -> None:
        super().__init__("the registry has no policy to hold evidence against")


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Decides who gets in, and stays in."""

    registry: RegistryTable
    appraiser: Appraiser
    endorsements: Endorsements
    settings: RegistrySettings

    async def challenge(self, owner: str, *, now: datetime) -> tuple[bytes, datetime]:
        """Return a fresh challenge for one registration, and until when it counts."""
        made, expires = secrets.token_bytes(CHALLENGE_SIZE), now + _CHALLENGE_LIFE
        await self.registry.issue(made, owner=owner, expires=expires)
        return made, expires

    async def register(
        self, application: Application, *, owner: str, now: datetime
    ) -> RegisteredWorker:
        """Return the worker, registered new or again.

        1. Whoever applies has the manifest's signing key: nobody takes another's place, or brings
           another's evidence as their own.
        2. The challenge is one that ``owner`` was given, and this is its only use.
        3. The evidence is over this manifest and this challenge, and acceptable now; it may be
           missing only where the operator lets it.
        4. The evidence has not been seen before, the state allows it, and there is room.
        """
        exhibit = application.exhibit
        # Step 1
        check_signature(
            application.manifest.signing_key,
            REGISTRATION_DOMAIN,
            application.registration.to_bytes(),
            application.signature,
        )
        # Step 2
        if not await self.registry.take(exhibit.challenge, owner=owner, now=now):
            raise ChallengeRejectedError
        # Step 3
        attestation, exhibit = await self._attest(application, now)
        worker = RegisteredWorker(
            id=sha256(application.manifest.signing_key).hex(),
            owner=owner,
            endpoint=application.endpoint,
            manifest_sha256=sha256(exhibit.manifest),
            attestation=attestation,
            state=State.ACTIVE,
            reason="",
            registered=now,
            heartbeat=now,
        )
        # Step 4
        state = await self.registry.register(
            worker,
            exhibit,
            limit=self.settings.workers,
            owner_limit=self.settings.key_workers,
        )
        return replace(worker, state=state)

    async def hear(self, beaten: Beaten, *, now: datetime) -> State:
        """Note a heartbeat; return the state that the worker is in.

        1. It was made with the key that the worker is named after, for this worker.
        2. It was made now, so that nobody keeps some for the time after the worker's end.
        3. It is later than the one before.
        """
        heartbeat = beaten.heartbeat
        # Step 1
        if sha256(beaten.signing_key).hex() != heartbeat.worker:
            raise MalformedError("signing_key is not the key that the worker is named after")
        check_signature(
            beaten.signing_key, HEARTBEAT_DOMAIN, heartbeat.to_bytes(), beaten.signature
        )
        # Step 2
        off = heartbeat.time - now.timestamp() * 1000
        if abs(off) > CLOCK_TOLERANCE.total_seconds() * 1000:
            raise HeartbeatTimeError
        # Step 3
        return await self.registry.hear(
            heartbeat.worker, heartbeat.state, time=heartbeat.time, now=now
        )

    async def verify_again(
        self, exhibit: Exhibit, *, used: UsedCollateral, now: datetime
    ) -> tuple[Verdict, UsedCollateral]:
        """Return the verdict that a worker's evidence would get now, apart from its age.

        How fresh it was, the challenge showed when it came; how long it counts is the registry's to
        say. All else is judged anew: certificates, the policy of today, and collateral, of which
        ``used`` is the last. What it was this time is returned too.
        """
        policy = self._policy
        ageless = replace(
            policy, evidence=replace(policy.evidence, maximum_age=Choice.NOT_REQUIRED)
        )
        used = await self.endorsements.beside(exhibit.evidence, used, now=now)
        verdict, _ = await self.appraiser.worker(
            Manifest.from_json(loads(exhibit.manifest, limit_bytes=BODY_BYTES)),
            exhibit.evidence,
            challenge=exhibit.challenge,
            collateral=collateral_of(used),
            policy=ageless,
            at=now,
        )
        return verdict, used

    @property
    def _policy(self) -> Policy:
        if self.settings.policy is None:
            raise RegistryWithoutPolicyError
        return self.settings.policy

    async def _attest(
        self, application: Application, now: datetime
    ) -> tuple[Attestation | None, Exhibit]:
        """Return what the evidence says, and the exhibit with what it was verified with."""
        exhibit = application.exhibit
        if not exhibit.evidence:
            if self.settings.unattested is not Unattested.ACCEPTED:
                raise EvidenceRequiredError
            return None, exhibit
        policy = self._policy
        brought = UsedCollateral(file=exhibit.collateral, fetched=None)
        used = await self.endorsements.beside(exhibit.evidence, brought, now=now)
        verdict, claims = await self.appraiser.worker(
            application.manifest,
            exhibit.evidence,
            challenge=exhibit.challenge,
            collateral=collateral_of(used),
            policy=policy,
            at=now,
        )
        if claims is None or not verdict.accepted:
            raise EvidenceRefusedError(verdict)
        found = _attestation(
            claims, fetched=used.fetched, now=now, until=now + self.settings.lifetime
        )
        return found, replace(exhibit, collateral=used.file)


def _attestation(
    claims: Claims, *, fetched: datetime | None, now: datetime, until: datetime
) -> Attestation:
    windows = () if claims.tcb is None else claims.tcb.windows
    searched = {
        name: value
        for name, value in claims.measurements.items()
        if len(name) <= _NAME_WIDTH and 0 < len(value) <= _VALUE_SIZE
    }
    return Attestation(
        technology=claims.technology.value,
        platform=claims.platform.value,
        # A service vouches for its token, and no hardware does.
        is_genuine=claims.platform is not Platform.INSECURE and not claims.platform.is_service,
        measurements=dict(sorted(searched.items())[:_MEASUREMENTS]),
        signed_sha256=claims.signed_sha256,
        verified=now,
        # What it rests on may end sooner: after that, nobody could verify it again.
        until=min(until, claims.last, *(window.last for window in windows)),
        collateral_fetched=fetched,
    )
