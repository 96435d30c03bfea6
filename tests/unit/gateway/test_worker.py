"""The worker's answers: read if they have the form, else no answer; remembered for a connection."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.gateway import Time
from tests.fakes.worker import Direct, FakeWorker, manifest

from adyton.adapters.link import WorkerUnavailableError
from adyton.gateway.worker import Worker, WorkerAnswerError
from adyton.model.question import Endpoint

Anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = ["ask", "describe", "attest", "providers", "circuits", "health"]
FIELDS = [
    "answer",
    "timings",
    "manifest",
    "evidence",
    "pcrs",
    "providers",
    "circuits",
    "ready",
    "cells",
    "queue",
]


def worker_with(**faults: Any) -> tuple[FakeWorker, Direct, Worker]:
    fake = FakeWorker(faults=faults)
    direct = Direct(fake)
    return fake, direct, Worker(direct, monotonic=Time().monotonic)


async def call(worker: Worker, name: str) -> Any:
    match name:
        case "ask":
            return await worker.ask(
                Endpoint.BALANCE, b"{}", challenge=b"", within=timedelta(seconds=1)
            )
        case "attest":
            return await worker.attest(b"")
        case _:
            return await getattr(worker, name)()


@given(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(FIELDS), Anything))
def test_any_answer_is_read_or_unreadable(name: str, fields: dict[str, Any]) -> None:
    async def run() -> None:
        _, _, worker = worker_with(**{name: fields})
        with suppress(WorkerAnswerError):
            await call(worker, name)

    asyncio.run(run())


async def test_timings_that_are_none_are_left_out() -> None:
    timings = {"fetch": 1, "prove": 2.5, "a b": 1, "x;y": 2, 5: 1, "text": "1"}
    timings |= {"nan": float("nan"), "inf": float("inf"), "minus": -1, "größe": 1, "x" * 40: 1}
    _, _, worker = worker_with(ask={"answer": b"{}", "timings": timings})
    assert (await call(worker, "ask")).timings == {"fetch": 1.0, "prove": 2.5}


async def test_a_description_shows_registers_as_the_rfc_does() -> None:
    _, _, worker = worker_with()
    described = await worker.describe()
    assert described.pcrs["pcr1"] == "0x" + "01" * 48
    assert described.sealing_key == manifest().sealing_keys["x25519"]


async def test_a_platform_without_registers_has_none() -> None:
    fields = {"manifest": manifest().to_bytes(), "evidence": b""}
    _, _, worker = worker_with(describe=fields)
    assert (await worker.describe()).pcrs == {}


async def test_waiters_share_one_call() -> None:
    fake, _, worker = worker_with()
    await asyncio.gather(*(worker.describe() for _ in range(10)))
    assert len(fake.calls) == 1


async def test_a_failure_is_not_remembered() -> None:
    fake, _, worker = worker_with(providers=WorkerUnavailableError())
    with pytest.raises(Exception, match="cannot be reached"):
        await worker.providers()
    fake.faults.clear()
    assert await worker.providers()


async def test_a_worker_that_is_gone_is_not_described_from_memory() -> None:
    _, direct, worker = worker_with()
    await worker.describe()
    direct.is_up = False
    with pytest.raises(WorkerUnavailableError):
        await worker.describe()


async def test_an_answer_of_the_worker_before_is_not_remembered() -> None:
    fake, direct, worker = worker_with()
    real = direct.call

    async def changing(name: str, /, *, within: timedelta, **fields: Any) -> dict[str, Any]:
        answer = await real(name, within=within, **fields)
        direct.epoch += 1
        return answer

    direct.call = changing  # type: ignore[method-assign]  # a fake of a fake
    await worker.providers()
    await worker.providers()
    assert len(fake.calls) == 2


async def test_health_remembers_how_many_wait() -> None:
    _, _, worker = worker_with(health={"ready": True, "cells": {"idle": 1, "odd": "x"}, "queue": 4})
    health = await worker.health()
    assert (health.ready, health.queue, worker.queue) == (True, 4, 4)
    assert health.cells == {"idle": 1}
