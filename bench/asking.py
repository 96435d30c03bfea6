"""Questions through the whole path: sealed ahead, sent by callers that do nothing but send."""

import http.client
import json
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from adyton.cli.local import LocalStack
from adyton.codec.json import canonical
from adyton.crypto.hpke import SealSuite
from adyton.model.question import Endpoint
from adyton.sdk.asking import question_body
from adyton.sdk.client import Client
from adyton.sdk.sealing import sealed_question
from adyton.sdk.worker import Worker

__all__ = ["Questions", "one_caller", "several_callers"]

_CREDENTIALS = {"access_token": "sandbox-good", "client_id": "bench", "secret": "bench"}


class Questions:
    """Balance questions, sealed to the stack's worker."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        with Client(stack.url, api_key=stack.api_key, policy=stack.policy) as client:
            self._worker: Worker = client.worker()
        self._count = 0

    def sealed(self, count: int) -> list[bytes]:
        """Return ``count`` bodies, each good for one request."""
        return [self._body() for _ in range(count)]

    def _body(self) -> bytes:
        self._count += 1
        body, secrets = question_body(
            {"type": "gte", "threshold": 10_000},
            nonce=f"bench-{self._count}",
            provider=None,
            credentials=_CREDENTIALS,
            audience="",
            extra={},
        )
        _, sealed = sealed_question(
            Endpoint.BALANCE,
            body,
            secrets=secrets,
            public_key=self._worker.sealing_key(SealSuite.X25519),
            suite=SealSuite.X25519,
            now=datetime.now(UTC),
        )
        return canonical(sealed)


def one_caller(stack: LocalStack, bodies: Sequence[bytes]) -> list[float]:
    """Return the seconds of each request, one after the other over one connection."""
    caller = _Caller(stack)
    return [caller.ask(body) for body in bodies]


def several_callers(
    stack: LocalStack, bodies: Sequence[bytes], callers: int
) -> tuple[float, list[float]]:
    """Return requests per second, and the seconds of each, with ``callers`` at a time."""
    left = list(bodies)
    times: list[float] = []

    def work() -> None:
        caller = _Caller(stack)
        while left:
            # list.pop is atomic: no two callers send one body.
            times.append(caller.ask(left.pop()))

    threads = [threading.Thread(target=work) for _ in range(callers)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(times) / (time.perf_counter() - start), times


class _Caller:
    def __init__(self, stack: LocalStack) -> None:
        place = urlsplit(stack.url)
        self._connection = http.client.HTTPConnection(place.hostname or "", place.port)
        self._headers = {
            "Authorization": f"Bearer {stack.api_key}",
            "Content-Type": "application/json",
        }

    def ask(self, body: bytes) -> float:
        start = time.perf_counter()
        self._connection.request("POST", "/v1/verify/balance", body, self._headers)
        response = self._connection.getresponse()
        data = response.read()
        seconds = time.perf_counter() - start
        if response.status != http.client.OK:
            problem = json.loads(data)
            raise RuntimeError(f"a question failed: {problem.get('code')}")
        return seconds
