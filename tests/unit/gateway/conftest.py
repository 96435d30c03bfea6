"""A gateway whose worker is connected, and a client with a key for everything."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.fakes.gateway import FakeGateway, connected


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    async with connected() as gateway:
        yield gateway


@pytest.fixture
async def client(gateway: FakeGateway) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway.client(gateway.key()) as client:
        yield client
