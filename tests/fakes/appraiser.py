"""Verifying evidence where the caller is: what the pool answers, without its processes."""

from datetime import datetime

from adyton.adapters.evidence_process import judge_evidence, judge_request, judge_worker
from adyton.appraisal.ear import Ear
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.evidence.collateral import Collateral
from adyton.model.claims import Judged
from adyton.model.manifest import Manifest


class DirectAppraiser:
    async def request(self, body: bytes, *, now: datetime) -> tuple[bytes, Ear | None]:
        return judge_request(body, now=now)

    async def evidence(
        self,
        evidence: bytes,
        *,
        collateral: Collateral,
        policy: Policy,
        expected: Expected,
        at: datetime,
    ) -> Judged:
        return judge_evidence(
            evidence, collateral=collateral, policy=policy, expected=expected, at=at
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
        return judge_worker(
            manifest, evidence, challenge=challenge, collateral=collateral, policy=policy, at=at
        )
