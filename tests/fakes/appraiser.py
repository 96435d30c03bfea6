"""Verifying evidence where the caller is: what the pool answers, without its processes."""

from collections.abc import Sequence
from datetime import datetime

from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.evidence.collateral import Collateral
from adyton.model.manifest import Manifest
from adyton.verification.authenticate import EvidenceCache
from adyton.verification.machine import Device, MachineVerdict, verify_machine
from adyton.verification.pipeline import Judged, verify_evidence, verify_worker


class DirectAppraiser:
    def __init__(self) -> None:
        self._cache = EvidenceCache()

    async def evidence(
        self,
        evidence: bytes,
        *,
        collateral: Collateral,
        policy: Policy,
        expected: Expected,
        at: datetime,
    ) -> Judged:
        return verify_evidence(
            evidence,
            collateral=collateral,
            policy=policy,
            expected=expected,
            at=at,
            cache=self._cache,
        )

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
        return verify_worker(
            manifest,
            evidence,
            challenge=challenge,
            collateral=collateral,
            policy=policy,
            at=at,
            cache=self._cache,
        )

    async def machine(
        self,
        processor: bytes,
        *,
        devices: Sequence[Device],
        collateral: Collateral,
        policy: Policy,
        expected: Expected,
        at: datetime,
    ) -> MachineVerdict:
        return verify_machine(
            processor,
            devices=devices,
            collateral=collateral,
            policy=policy,
            expected=expected,
            at=at,
            cache=self._cache,
        )
