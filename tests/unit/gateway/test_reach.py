"""What the relay may reach follows the worker that is connected."""

import asyncio

import pytest
from tests.fakes.gateway import FakeGateway, connected

from adyton.adapters.egress import Destination
from adyton.errors import UnavailableError


async def until_current(gateway: FakeGateway) -> None:
    for _ in range(2000):
        if gateway.reach.is_current:
            return
        await asyncio.sleep(0.001)
    raise AssertionError("the policy never came")


async def test_the_relay_may_reach_the_workers_providers() -> None:
    async with connected() as gateway:
        assert gateway.gate.policy.destinations == {Destination("production.plaid.com", 443)}


async def test_another_worker_brings_its_own_providers() -> None:
    async with connected() as gateway:
        gateway.worker.hosts = ("api.example.com:8443", "api.example.com")
        gateway.link.reconnect()
        assert not gateway.reach.is_current
        await until_current(gateway)
        assert gateway.gate.policy.destinations == {
            Destination("api.example.com", 8443),
            Destination("api.example.com", 443),
        }


async def test_a_host_that_is_not_fixed_allows_nothing() -> None:
    async with connected() as gateway:
        gateway.worker.hosts = ("{{url}}", "*", "127.0.0.1", "", "production.plaid.com")
        gateway.link.reconnect()
        await until_current(gateway)
        assert gateway.gate.policy.destinations == {Destination("production.plaid.com", 443)}


async def test_a_worker_that_does_not_tell_is_asked_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with connected() as gateway:
        gateway.worker.faults["providers"] = UnavailableError("not yet")
        gateway.link.reconnect()
        while not caplog.records:  # noqa: ASYNC110  # steps of the loop, no clock
            await asyncio.sleep(0)
        assert not gateway.reach.is_current
        gateway.worker.faults.clear()
        await until_current(gateway)


async def test_a_worker_that_is_gone_is_not_current() -> None:
    async with connected() as gateway:
        gateway.link.is_up = False
        assert not gateway.reach.is_current
