"""Verifying evidence in other processes: the same verdicts, and none where a process is lost."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from typing import Any

import psutil
import pytest
from tests.fakes.host import until
from tests.fakes.nitro import NOW, FakeNitro
from tests.fakes.worker import manifest
from tests.unit.verification import test_machine as machines

from adyton.adapters.evidence_pool import (
    EvidencePool,
    EvidenceProcessLostError,
    EvidenceTimeoutError,
    _within,
)
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.evidence.collateral import NO_COLLATERAL
from adyton.verification.machine import verify_machine
from adyton.verification.pipeline import verify_evidence, verify_worker

VENDOR = FakeNitro()
DOCUMENT = VENDOR.document()
GIVEN: dict[str, Any] = {
    "collateral": NO_COLLATERAL,
    "policy": Policy.from_json(
        {
            "version": "adyton/policy/v1",
            "roots": {"fake": VENDOR.root_sha256.hex()},
            "platforms": {
                "insecure": {
                    "debug": "refused",
                    "tcb": "not-required",
                    "measurements": "not-required",
                    "expression": "claims.nonce != ''",
                }
            },
            "evidence": {"maximum_age_seconds": 3600, "challenge": "not-required"},
        }
    ),
    "expected": Expected(nonce=b"nonce"),
    "at": NOW,
}


@pytest.fixture(scope="module")
def pool() -> Iterator[EvidencePool]:
    with EvidencePool(processes=2) as made:
        yield made


def children() -> list[psutil.Process]:
    found = psutil.Process().children(recursive=True)
    return [child for child in found if "spawn_main" in command(child)]


def command(process: psutil.Process) -> str:
    # What has ended has none.
    with suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


async def test_a_pool_answers_what_the_path_answers(pool: EvidencePool) -> None:
    for evidence in (DOCUMENT, DOCUMENT[:-1], b""):
        assert await pool.evidence(evidence, **GIVEN) == verify_evidence(evidence, **GIVEN)
    verdict, claims = await pool.evidence(DOCUMENT, **GIVEN)
    assert verdict.accepted
    assert claims is not None


async def test_a_worker_is_judged_as_the_path_judges_it(pool: EvidencePool) -> None:
    given = {name: GIVEN[name] for name in ("collateral", "policy", "at")}
    for challenge in (b"", b"a challenge"):
        asked: dict[str, Any] = {"challenge": challenge, **given}
        verdict = await pool.worker(manifest(), DOCUMENT, **asked)
        assert verdict == verify_worker(manifest(), DOCUMENT, **asked)


async def test_a_pool_judges_a_machine_as_the_path_does(pool: EvidencePool) -> None:
    given: dict[str, Any] = {
        "devices": (machines.device(), machines.device("ls10", serial=8)),
        "collateral": NO_COLLATERAL,
        "policy": machines.policy(),
        "expected": machines.ASKED,
        "at": NOW,
    }
    found = await pool.machine(machines.processor(), **given)
    assert found.accepted
    assert found == verify_machine(machines.processor(), **given)


async def test_many_at_once_are_answered_in_their_order(pool: EvidencePool) -> None:
    pieces = [DOCUMENT if index % 3 else DOCUMENT[:-1] for index in range(50)]
    expected = [bool(index % 3) for index in range(50)]
    verdicts = await asyncio.to_thread(pool.verify_all, pieces, **GIVEN)
    assert [verdict.accepted for verdict in verdicts] == expected
    judged = await asyncio.gather(*(pool.evidence(piece, **GIVEN) for piece in pieces))
    assert [verdict.accepted for verdict, _ in judged] == expected


async def test_a_lost_process_is_no_verdict_and_is_replaced(pool: EvidencePool) -> None:
    await pool.evidence(DOCUMENT, **GIVEN)
    for child in children():
        os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(EvidenceProcessLostError):
        await asyncio.gather(*(pool.evidence(DOCUMENT, **GIVEN) for _ in range(100)))
    verdict, _ = await pool.evidence(DOCUMENT, **GIVEN)
    assert verdict.accepted


async def test_no_verdict_in_time_is_none() -> None:
    with EvidencePool(processes=1, deadline=timedelta(milliseconds=1)) as slow:
        with pytest.raises(EvidenceTimeoutError):
            await slow.evidence(DOCUMENT, **GIVEN)
        with pytest.raises(EvidenceTimeoutError):
            await asyncio.to_thread(slow.verify_all, [DOCUMENT], **GIVEN)


def test_a_process_that_does_not_come_back_is_ended() -> None:
    process = get_context("spawn").Process(target=_within, args=(0.5, partial(time.sleep, 30)))
    process.start()
    process.join(20)
    assert process.exitcode == -signal.SIGALRM


async def test_no_process_is_left() -> None:
    before = {child.pid for child in children()}
    with EvidencePool(processes=2) as made:
        await asyncio.gather(*(made.evidence(DOCUMENT, **GIVEN) for _ in range(10)))
        assert {child.pid for child in children()} > before
    assert {child.pid for child in children()} == before


async def test_processes_that_nobody_needs_are_ended_and_started_again() -> None:
    before = {child.pid for child in children()}
    with EvidencePool(processes=1, idle=timedelta(milliseconds=50)) as made:
        assert {child.pid for child in children()} <= before
        for _ in range(2):
            verdict, _ = await made.evidence(DOCUMENT, **GIVEN)
            assert verdict.accepted
            await until(lambda: {child.pid for child in children()} <= before)


async def test_a_process_is_not_ended_while_somebody_waits_for_it() -> None:
    with EvidencePool(processes=1, idle=timedelta(0)) as made:
        pieces = (made.evidence(DOCUMENT, **GIVEN) for _ in range(60))
        assert all(verdict.accepted for verdict, _ in await asyncio.gather(*pieces))
