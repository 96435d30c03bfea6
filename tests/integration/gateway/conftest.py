"""Real sockets on loopback, on both event loops: asyncio's own, and the one a gateway runs on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop
from tests.fakes.host import Host, hosting


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[Host]:
    async with hosting(tmp_path) as host:
        yield host


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Any]:
    """Starts a gateway with settings of its own."""
    return lambda **options: hosting(tmp_path, **options)
