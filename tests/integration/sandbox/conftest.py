"""A sandbox in a thread of its own, so that blocking clients can talk to it."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from adyton.sandbox import Certificate, Sandbox


@contextmanager
def running(sandbox: Sandbox) -> Iterator[Sandbox]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(sandbox.start(), loop).result(timeout=10)
        yield sandbox
        asyncio.run_coroutine_threadsafe(sandbox.stop(), loop).result(timeout=10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(Sandbox(slow_seconds=0.5)) as started:
        yield started


@pytest.fixture
def old_sandbox() -> Iterator[Sandbox]:
    """A sandbox that speaks TLS 1.2 only."""
    with running(Sandbox(maximum_tls=ssl.TLSVersion.TLSv1_2)) as started:
        yield started


@pytest.fixture(params=[kind for kind in Certificate if kind is not Certificate.GOOD])
def untrustworthy(request: pytest.FixtureRequest) -> Iterator[tuple[Certificate, Sandbox]]:
    with running(Sandbox(certificate=request.param)) as started:
        yield request.param, started
