"""Limits hold for any order of events."""

from contextlib import AbstractContextManager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.gateway import FakeGateway

from adyton.adapters.store.records import KeyLimits
from adyton.gateway.limits import Limiter, TokenBucket
from adyton.gateway.problems import OverloadedError, TooManyRequestsError
from adyton.gateway.settings import GatewayLimits

Steps = st.lists(st.floats(0, 30), max_size=200)


@given(st.integers(1, 600), Steps)
def test_no_minute_sees_more_than_its_share_and_the_burst(
    per_minute: int, pauses: list[float]
) -> None:
    bucket, now, taken = TokenBucket.per_minute(per_minute, now=0.0), 0.0, list[float]()
    for pause in pauses:
        now += pause
        if bucket.take(now) == 0:
            taken.append(now)
    for start in taken:
        within = sum(start <= moment < start + 60 for moment in taken)
        assert within <= per_minute + bucket.burst + 1e-6


@given(st.integers(1, 600), Steps)
def test_who_waits_as_long_as_told_is_let_in(per_minute: int, pauses: list[float]) -> None:
    bucket, now = TokenBucket.per_minute(per_minute, now=0.0), 0.0
    for pause in pauses:
        now += pause
        if wait := bucket.take(now):
            now += wait + 1e-9
            assert bucket.take(now) == 0


@given(st.lists(st.booleans(), max_size=100))
def test_places_taken_and_given_back_balance(events: list[bool]) -> None:
    fake = FakeGateway(in_flight=5)
    key = fake.key().key
    held: list[AbstractContextManager[None]] = []
    for takes in events:
        if takes:
            place = fake.limiter.place(key)
            try:
                place.__enter__()
            except OverloadedError:
                assert len(held) == 5
            else:
                held.append(place)
        elif held:
            held.pop().__exit__(None, None, None)
        assert fake.limiter.in_flight == len(held)
    while held:
        held.pop().__exit__(None, None, None)
    assert fake.limiter._in_flight == {}


def test_a_place_is_given_back_after_a_failure() -> None:
    fake = FakeGateway()
    with pytest.raises(ValueError, match="broken"), fake.limiter.place(fake.key().key):
        raise ValueError("broken")
    assert fake.limiter.in_flight == 0


def test_a_keys_own_limit_comes_before_the_gateways() -> None:
    fake = FakeGateway(key_per_minute=6)
    generous, ordinary = fake.key(limits=KeyLimits(per_minute=6000)).key, fake.key().key
    for _ in range(100):
        fake.limiter.check_rate(generous)
    fake.limiter.check_rate(ordinary)
    with pytest.raises(TooManyRequestsError):
        fake.limiter.check_rate(ordinary)


def test_one_key_does_not_use_up_anothers_rate() -> None:
    fake = FakeGateway(key_per_minute=6)
    first, second = fake.key().key, fake.key().key
    fake.limiter.check_rate(first)
    fake.limiter.check_rate(second)


def test_idle_keys_are_forgotten_and_busy_ones_are_not() -> None:
    fake = FakeGateway(key_per_minute=6)
    limiter = Limiter(GatewayLimits(key_per_minute=6), fake.usage, monotonic=fake.time.monotonic)
    for _ in range(1024):
        limiter.check_rate(fake.key().key)
    fake.time.pass_by(60)
    busy = fake.key().key
    limiter.check_rate(busy)
    assert len(limiter._buckets) == 1
    with pytest.raises(TooManyRequestsError):
        limiter.check_rate(busy)


async def test_a_key_without_a_daily_limit_costs_no_counter() -> None:
    fake = FakeGateway()
    await fake.limiter.check_day(fake.key().key, now=fake.time.now)
    assert not fake.usage.used
