"""Who calls: one valid key, in one place."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from tests.fakes.gateway import FakeGateway

from adyton.adapters.store.failure import StoreUnavailableError
from adyton.adapters.store.records import NewKey, Presented, Scope
from adyton.gateway.authentication import Authentication
from adyton.gateway.problems import ScopeRejectedError, UnauthenticatedError

Raw = list[tuple[bytes, bytes]]


@pytest.fixture
def fake() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def authentication(fake: FakeGateway) -> Authentication:
    return Authentication(fake.keys, clock=fake.time.clock, monotonic=fake.time.monotonic)


def headers(*pairs: tuple[str, str]) -> Headers:
    return Headers(raw=[(name.encode(), value.encode()) for name, value in pairs])


def bearer(key: NewKey) -> Headers:
    return headers(("authorization", f"Bearer {key.text}"))


async def test_a_key_is_read_from_either_header(
    fake: FakeGateway, authentication: Authentication
) -> None:
    key = fake.key()
    for given_headers in (
        bearer(key),
        headers(("authorization", f"bearer  {key.text} ")),
        headers(("x-api-key", key.text)),
    ):
        assert await authentication.caller(given_headers, Scope.ASK) == key.key


async def test_no_key_is_nobody(authentication: Authentication) -> None:
    with pytest.raises(UnauthenticatedError):
        await authentication.caller(headers(), Scope.ASK)


async def test_each_key_that_is_not_quite_one_is_nobody(
    fake: FakeGateway, authentication: Authentication
) -> None:
    key = fake.key()
    text = key.text
    other = Presented(id=key.key.id, secret=bytes(32)).to_text()
    broken = [
        headers(("authorization", text)),
        headers(("authorization", f"Basic {text}")),
        headers(("authorization", f"Bearer {text}0")),
        headers(("authorization", f"Bearer {text[:-1]}")),
        headers(("authorization", f"Bearer {text.upper()}")),
        headers(("authorization", f"Bearer {other}")),
        headers(("authorization", f"Bearer adk_{'0' * 16}_{'0' * 64}")),
        headers(("authorization", f"Bearer {text}"), ("x-api-key", text)),
        headers(("x-api-key", text), ("x-api-key", text)),
        headers(("x-api-key", f" {text}")),
        headers(("x-api-key", "")),
    ]
    for found in broken:
        with pytest.raises(UnauthenticatedError):
            await authentication.caller(found, Scope.ASK)


async def test_an_expired_key_is_nobody(fake: FakeGateway, authentication: Authentication) -> None:
    key = fake.key(lifetime=timedelta(seconds=60))
    assert await authentication.caller(bearer(key), Scope.ASK) == key.key
    fake.time.pass_by(60)
    with pytest.raises(UnauthenticatedError):
        await authentication.caller(bearer(key), Scope.ASK)


async def test_a_revoked_key_is_nobody_within_seconds(
    fake: FakeGateway, authentication: Authentication
) -> None:
    key = fake.key()
    await authentication.caller(bearer(key), Scope.ASK)
    fake.keys.keys[key.key.id] = replace(key.key, revoked=fake.time.now)
    fake.time.pass_by(5)
    with pytest.raises(UnauthenticatedError):
        await authentication.caller(bearer(key), Scope.ASK)


async def test_a_key_for_something_else_is_refused(
    fake: FakeGateway, authentication: Authentication
) -> None:
    key = fake.key(Scope.VERIFY)
    with pytest.raises(ScopeRejectedError):
        await authentication.caller(bearer(key), Scope.ASK)


async def test_a_key_is_looked_up_once_in_a_while(
    fake: FakeGateway, authentication: Authentication
) -> None:
    key = fake.key()
    for _ in range(10):
        await authentication.caller(bearer(key), Scope.ASK)
    assert fake.keys.looked_up == 1


async def test_strangers_do_not_push_keys_out_of_memory(
    fake: FakeGateway, authentication: Authentication
) -> None:
    key = fake.key()
    await authentication.caller(bearer(key), Scope.ASK)
    for number in range(2000):
        stranger = Presented(id=f"{number:016x}", secret=bytes(32)).to_text()
        with pytest.raises(UnauthenticatedError):
            await authentication.caller(headers(("x-api-key", stranger)), Scope.ASK)
    looked_up = fake.keys.looked_up
    await authentication.caller(bearer(key), Scope.ASK)
    assert fake.keys.looked_up == looked_up


async def test_what_is_remembered_is_bounded(
    fake: FakeGateway, authentication: Authentication
) -> None:
    for _ in range(1100):
        await authentication.caller(bearer(fake.key()), Scope.ASK)
    assert len(authentication._remembered) == 1024


async def test_a_store_that_is_down_is_no_verdict_on_a_key(
    fake: FakeGateway, authentication: Authentication
) -> None:
    key = fake.key()
    fake.keys.is_down = True
    with pytest.raises(StoreUnavailableError):
        await authentication.caller(bearer(key), Scope.ASK)


@given(st.text(max_size=120))
def test_any_text_is_a_key_or_none(text: str) -> None:
    presented = Presented.from_text(text)
    assert presented is None or presented.to_text() == text


def test_a_secret_is_hidden_from_repr() -> None:
    key = FakeGateway().key()
    presented = Presented.from_text(key.text)
    assert presented is not None
    for shown in (repr(key), repr(presented), repr(key.key)):
        assert presented.secret.hex() not in shown
        assert str(presented.secret) not in shown
        assert str(key.key.digest) not in shown
