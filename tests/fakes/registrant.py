"""A worker that wants to be registered: a key, a manifest, evidence of the insecure platform."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.fakes.appraiser import DirectAppraiser
from tests.fakes.worker import manifest

from adyton.adapters.insecure import ROOT_NAME, InsecurePlatform
from adyton.appraisal.ear import Ear
from adyton.appraisal.policy import Policy
from adyton.codec.text import from_base64, to_base64
from adyton.crypto.binding import report_data
from adyton.crypto.hashing import sha256
from adyton.crypto.signing import SigningKey
from adyton.evidence.collateral import Collateral
from adyton.model.claims import Judged
from adyton.model.manifest import Manifest
from adyton.model.registry import (
    HEARTBEAT_DOMAIN,
    REGISTRATION_DOMAIN,
    Beat,
    Heartbeat,
    Registration,
)

ENDPOINT = "https://worker.example/adyton"
MEASURED = {0: b"image", 1: b"kernel", 2: b"application"}


class Machine:
    """Something that vouches, and the policy that believes it."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self.platform = InsecurePlatform.open(folder, measured=MEASURED, clock=clock)

    @property
    def policy_json(self) -> dict[str, Any]:
        return {
            "version": "adyton/policy/v1",
            "roots": {ROOT_NAME: self.platform.root_sha256.hex()},
            "platforms": {
                "insecure": {
                    "debug": "refused",
                    "tcb": "not-required",
                    "measurements": {"image": {"pcr0": self.platform.registers[0].hex()}},
                }
            },
            "evidence": {"maximum_age_seconds": 300, "challenge": "required"},
        }

    @property
    def policy(self) -> Policy:
        return Policy.from_json(self.policy_json)


class Registrant:
    """One worker on ``machine``."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.key = machine, SigningKey()
        self.manifest: Manifest = replace(manifest(), signing_key=self.key.public)

    @property
    def id(self) -> str:
        return sha256(self.key.public).hex()

    async def evidence(self, challenge: bytes) -> bytes:
        over = report_data(self.manifest.to_bytes(), challenge)
        return await self.machine.platform.evidence(over, challenge, self.key.public)

    async def application(
        self,
        challenge: str,
        *,
        endpoint: str = ENDPOINT,
        evidence: bytes | None = None,
        attested: bool = True,
    ) -> dict[str, Any]:
        """Return what is posted, rightly signed."""
        asked = from_base64(challenge, "challenge", limit_bytes=64)
        if attested and evidence is None:
            evidence = await self.evidence(asked)
        registration = Registration(
            challenge=asked,
            endpoint=endpoint,
            manifest_sha256=sha256(self.manifest.to_bytes()),
            evidence_sha256=sha256(evidence) if evidence else b"",
        )
        signature = self.key.sign(REGISTRATION_DOMAIN, registration.to_bytes())
        body = {
            "manifest": self.manifest.to_json(),
            "challenge": challenge,
            "endpoint": endpoint,
            "signature": to_base64(signature),
        }
        return body if evidence is None else {**body, "evidence": to_base64(evidence)}

    def heartbeat(
        self, now: datetime, state: Beat = Beat.ACTIVE, *, worker: str | None = None
    ) -> dict[str, Any]:
        """Return what is posted to say that this worker (or ``worker``) is there."""
        time = int(now.timestamp() * 1000)
        heartbeat = Heartbeat(worker=worker or self.id, state=state, time=time)
        return {
            "state": state.value,
            "time": time,
            "signing_key": to_base64(self.key.public),
            "signature": to_base64(self.key.sign(HEARTBEAT_DOMAIN, heartbeat.to_bytes())),
        }


class ChangingAppraiser(DirectAppraiser):
    """The real one, but for what a test says that the evidence says."""

    def __init__(self) -> None:
        self.changes: Mapping[str, Any] = {}
        self.error: Exception | None = None
        self.judged = 0

    async def worker(
        self,
        manifest: Manifest,
        evidence: bytes,
        *,
        challenge: bytes,
        collateral: Collateral,
        policy: Policy,
        at: datetime,
    ) -> Judged:
        self.judged += 1
        if self.error is not None:
            raise self.error
        verdict, claims = await super().worker(
            manifest,
            evidence,
            challenge=challenge,
            collateral=collateral,
            policy=policy,
            at=at,
        )
        return verdict, None if claims is None else replace(claims, **self.changes)

    async def request(self, body: bytes, *, now: datetime) -> tuple[bytes, Ear | None]:
        self.judged += 1
        if self.error is not None:
            raise self.error
        return await super().request(body, now=now)
