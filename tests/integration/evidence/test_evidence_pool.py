"""Verifying in other processes: the same verdicts, and none where a process is lost."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.fakes.host import until
from tests.fakes.nitro import NOW, FakeNitro
from tests.fakes.worker import manifest
from tests.fakes.workshop import Workshop
from tests.unit.gateway.test_evidence import body, machine

from adyton.adapters.evidence_pool import (
    EvidencePool,
    EvidenceProcessLostError,
    EvidenceTimeoutError,
)
from adyton.adapters.evidence_process import judge_request
from adyton.appraisal.freshness import Expected
from adyton.appraisal.policy import Policy
from adyton.codec.json import JsonObject, canonical
from adyton.errors import MalformedError
from adyton.evidence.collateral import NO_COLLATERAL
from adyton.model.claims import Judged
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


@pytest.fixture
async def pool() -> AsyncIterator[EvidencePool]:
    with EvidencePool(processes=2) as made:
        yield made


def processes() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if is_ours(child)]


def is_ours(process: psutil.Process) -> bool:
    # What has ended has no command.
    with suppress(psutil.NoSuchProcess):
        return "adyton.adapters.evidence_process" in process.cmdline()
    return False


async def held(pool: EvidencePool) -> tuple[psutil.Process, "asyncio.Task[Judged]"]:
    """Return a process that does not come back, and the question that it was asked."""
    if not processes():
        await pool.evidence(DOCUMENT, **GIVEN)
    (process,) = processes()
    os.kill(process.pid, signal.SIGSTOP)
    asking = asyncio.create_task(pool.evidence(DOCUMENT, **GIVEN))
    await asyncio.sleep(0)
    return process, asking


async def test_a_pool_answers_what_the_path_answers(pool: EvidencePool) -> None:
    for evidence in (DOCUMENT, DOCUMENT[:-1], b""):
        assert await pool.evidence(evidence, **GIVEN) == verify_evidence(evidence, **GIVEN)
    verdict, claims = await pool.evidence(DOCUMENT, **GIVEN)
    assert verdict.accepted
    assert claims is not None
    given = {name: GIVEN[name] for name in ("collateral", "policy", "at")}
    for challenge in (b"", b"a challenge"):
        asked: dict[str, Any] = {"challenge": challenge, **given}
        judged = await pool.worker(manifest(), DOCUMENT, **asked)
        assert judged == verify_worker(manifest(), DOCUMENT, **asked)


async def test_a_pool_answers_requests_as_they_came(pool: EvidencePool) -> None:
    for asked in (body(ear=True), machine()):
        data = canonical(asked)
        answer, result = await pool.request(data, now=NOW)
        assert (answer, result) == judge_request(data, now=NOW)
        assert json.loads(answer)["accepted"] is True
        assert (result is not None) is ("ear" in asked)
    with pytest.raises(MalformedError, match="the request lacks"):
        await pool.request(b"{}", now=NOW)


async def test_what_nobody_foresaw_is_said_by_its_kind_alone(pool: EvidencePool) -> None:
    with pytest.raises(RuntimeError, match="verifying ended with TypeError"):
        await pool.request("no bytes", now=NOW)  # type: ignore[arg-type]
    # And ends nothing.
    assert (await pool.evidence(DOCUMENT, **GIVEN))[0].accepted
    assert len(processes()) == 1


async def test_each_gets_the_answer_to_what_it_asked(pool: EvidencePool) -> None:
    pieces = [DOCUMENT if index % 3 else DOCUMENT[:-1] for index in range(50)]
    judged = await asyncio.gather(*(pool.evidence(piece, **GIVEN) for piece in pieces))
    assert [verdict.accepted for verdict, _ in judged] == [bool(index % 3) for index in range(50)]
    assert len(processes()) == 2


async def test_a_lost_process_is_no_verdict_and_costs_no_other(pool: EvidencePool) -> None:
    process, asking = await held(pool)
    others = [asyncio.create_task(pool.evidence(DOCUMENT, **GIVEN)) for _ in range(5)]
    verdicts = [(await other)[0] for other in others]
    assert all(verdict.accepted for verdict in verdicts)
    assert not asking.done()
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(EvidenceProcessLostError):
        await asking
    assert (await pool.evidence(DOCUMENT, **GIVEN))[0].accepted


async def test_a_process_that_ended_while_nobody_asked_is_replaced(pool: EvidencePool) -> None:
    await pool.evidence(DOCUMENT, **GIVEN)
    (process,) = processes()
    os.kill(process.pid, signal.SIGKILL)
    await until(lambda: not process.is_running())
    assert (await pool.evidence(DOCUMENT, **GIVEN))[0].accepted
    assert process not in processes()


async def test_a_caller_who_leaves_ends_no_process(pool: EvidencePool) -> None:
    process, asking = await held(pool)
    asking.cancel()
    os.kill(process.pid, signal.SIGCONT)
    with pytest.raises(asyncio.CancelledError):
        await asking
    # The process that it asked is another one's again: whose answer is whose did not shift.
    judged = await asyncio.gather(
        *(pool.evidence(piece, **GIVEN) for piece in (DOCUMENT[:-1], DOCUMENT) * 4)
    )
    assert [verdict.accepted for verdict, _ in judged] == [False, True] * 4
    assert process in processes()


async def test_callers_who_leave_at_once_leave_everything_as_it_was() -> None:
    with EvidencePool(processes=1) as made:
        for turns in range(8):
            asking = asyncio.create_task(made.evidence(DOCUMENT, **GIVEN))
            for _ in range(turns):
                await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        assert (await made.evidence(DOCUMENT, **GIVEN))[0].accepted
        assert len(processes()) == 1


async def test_no_verdict_in_time_is_none_and_ends_the_process() -> None:
    with EvidencePool(processes=1) as slow:
        await slow.evidence(DOCUMENT, **GIVEN)
        enough, slow._deadline = slow._deadline, 0.1
        process, asking = await held(slow)
        with pytest.raises(EvidenceTimeoutError):
            await asking
        await until(lambda: not process.is_running())
        slow._deadline = enough
        assert (await slow.evidence(DOCUMENT, **GIVEN))[0].accepted


def test_a_process_whose_pool_has_gone_ends_itself() -> None:
    ours, theirs = socket.socketpair()
    command = (sys.executable, "-m", "adyton.adapters.evidence_process", str(theirs.fileno()))
    with subprocess.Popen(command, pass_fds=(theirs.fileno(),)) as process:
        theirs.close()
        ours.close()
        assert process.wait(60) == 0


def test_a_process_that_does_not_come_back_ends_itself() -> None:
    program = (
        "import time; from adyton.adapters import evidence_process as process;"
        "process.JOBS = {'sleep': lambda: time.sleep(600)};"
        "import pickle; process._answer("
        "{'name': 'sleep', 'seconds': 0.2, 'given': pickle.dumps(((), {}))})"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    assert done.returncode == -signal.SIGALRM


async def test_no_process_is_left() -> None:
    before = {child.pid for child in processes()}
    with EvidencePool(processes=2) as made:
        await asyncio.gather(*(made.evidence(DOCUMENT, **GIVEN) for _ in range(10)))
        assert {child.pid for child in processes()} > before
        asking = asyncio.create_task(made.evidence(DOCUMENT, **GIVEN))
        await asyncio.sleep(0)
    assert {child.pid for child in processes()} == before
    with pytest.raises((asyncio.CancelledError, EvidenceProcessLostError)):
        await asking


async def test_processes_that_nobody_needs_are_ended_and_started_again() -> None:
    before = {child.pid for child in processes()}
    with EvidencePool(processes=1, idle=timedelta(milliseconds=50)) as made:
        assert {child.pid for child in processes()} <= before
        for _ in range(2):
            verdict, _ = await made.evidence(DOCUMENT, **GIVEN)
            assert verdict.accepted
            await until(lambda: {child.pid for child in processes()} <= before)


async def test_a_process_is_not_ended_while_somebody_waits_for_it() -> None:
    with EvidencePool(processes=1, idle=timedelta(0)) as made:
        pieces = (made.evidence(DOCUMENT, **GIVEN) for _ in range(3))
        assert all(verdict.accepted for verdict, _ in await asyncio.gather(*pieces))


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop.of(folder=tmp_path, clock=lambda: NOW)


@pytest.fixture
def receipt(workshop: Workshop) -> JsonObject:
    """One that is good but for its proof, which bb has to say."""
    return workshop.receipt().to_json()


async def test_receipts_are_judged_there_and_their_prover_ends_with_the_pool(
    workshop: Workshop, receipt: JsonObject
) -> None:
    with EvidencePool(processes=1) as made:
        verdict = await made.verify(receipt, workshop.policy_json(), at=NOW)
        assert verdict["accepted"] is False
        assert "proof-rejected" in json.dumps(verdict)
        (process,) = processes()
        (prover,) = process.children()
        with pytest.raises(MalformedError, match="the answer lacks"):
            await made.verify({}, workshop.policy_json(), at=NOW)
    await until(lambda: not prover.is_running() or prover.status() == psutil.STATUS_ZOMBIE)


async def test_a_process_is_told_no_secret_of_the_gateway_s(
    pool: EvidencePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "ADYTON_ANCHORS", "AWS_SECRET_ACCESS_KEY", "WHATEVER_COMES"):
        monkeypatch.setenv(name, "postgresql://a:secret@db.example/adyton")
    await pool.evidence(DOCUMENT, **GIVEN)
    (process,) = processes()
    assert not [name for name, value in process.environ().items() if "secret" in value]
