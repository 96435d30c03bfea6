"""The worker as the gateway sees it: six calls, each answer checked for its shape.

The gateway passes sealed questions and signed answers on and believes neither: it reads an answer
only to keep the audit. What it remembers of a worker, it forgets when the connection changes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar

from adyton.adapters.frames import Fields
from adyton.adapters.link import WorkerUnavailableError
from adyton.codec.json import Json, JsonObject, loads
from adyton.errors import MalformedError, UnavailableError
from adyton.gateway.ports import Caller
from adyton.model.manifest import Manifest
from adyton.model.question import Endpoint
from adyton.model.receipt import MAX_RECEIPT_BYTES

__all__ = ["Answer", "Description", "Worker", "WorkerAnswerError", "WorkerHealth"]

T = TypeVar("T")

_SHORT: Final = timedelta(seconds=5)
_HEALTH: Final = timedelta(seconds=2)
# Evidence is renewed by the worker now and then; the rest stays for a connection's life.
_REMEMBERED_SECONDS: Final = 30.0
_HEALTH_SECONDS: Final = 0.5
_TIMINGS: Final = 32
_LONGEST_MS: Final = 1e9


class WorkerAnswerError(UnavailableError):
    """The worker answered something that this gateway cannot read: their versions may differ."""

    code = "worker-answer-unreadable"

    def __init__(self) -> None:
        super().__init__("the worker's answer has another form than this gateway reads")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A receipt, ready to send, and how long each step took, in milliseconds."""

    receipt: bytes
    timings: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What the worker says it is; the evidence is over this manifest and no challenge."""

    manifest: JsonObject
    sealing_key: bytes
    evidence: bytes
    platform: str
    pcrs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerHealth:
    """How the worker says it is."""

    ready: bool
    cells: Mapping[str, int]
    queue: int


class Worker:
    """The worker behind ``caller``."""

    def __init__(self, caller: Caller, *, monotonic: Callable[[], float]) -> None:
        self._caller = caller
        self._description = _Remembered(caller, self._describe, monotonic, _REMEMBERED_SECONDS)
        self._providers = _Remembered(
            caller, lambda: self._list("providers"), monotonic, _REMEMBERED_SECONDS
        )
        self._circuits = _Remembered(
            caller, lambda: self._list("circuits"), monotonic, _REMEMBERED_SECONDS
        )
        self._health = _Remembered(caller, self._ask_health, monotonic, _HEALTH_SECONDS)
        self.queue = 0
        """How many questions waited in the worker when it was last asked."""

    @property
    def is_up(self) -> bool:
        """Whether there is a connection to the worker."""
        return self._caller.is_up

    async def ask(
        self, endpoint: Endpoint, body: bytes, *, challenge: bytes, within: timedelta
    ) -> Answer:
        """Return the worker's answer to the question in ``body``, or raise its error."""
        fields = await self._caller.call(
            "ask", within=within, endpoint=endpoint.value, body=body, challenge=challenge
        )
        receipt = _bytes(fields, "answer", limit_bytes=MAX_RECEIPT_BYTES)
        return Answer(receipt=receipt, timings=_timings(fields.get("timings")))

    async def describe(self) -> Description:
        """Return what the worker is, at most half a minute old."""
        return await self._description.get()

    async def attest(self, challenge: bytes) -> bytes:
        """Return fresh evidence over the manifest and ``challenge``."""
        fields = await self._caller.call("attest", within=_SHORT, challenge=challenge)
        return _bytes(fields, "evidence", limit_bytes=MAX_RECEIPT_BYTES)

    async def providers(self) -> list[Json]:
        """Return the worker's providers, as it describes them."""
        return await self._providers.get()

    async def circuits(self) -> list[Json]:
        """Return the worker's circuits, as it describes them."""
        return await self._circuits.get()

    async def health(self) -> WorkerHealth:
        """Return how the worker is."""
        return await self._health.get()

    async def _describe(self) -> Description:
        fields = await self._caller.call("describe", within=_SHORT)
        try:
            record = loads(
                _bytes(fields, "manifest", limit_bytes=MAX_RECEIPT_BYTES),
                limit_bytes=MAX_RECEIPT_BYTES,
            )
            manifest = Manifest.from_json(record)
        except MalformedError as error:
            raise WorkerAnswerError from error
        return Description(
            manifest=manifest.to_json(),
            sealing_key=manifest.sealing_keys.get("x25519", b""),
            evidence=_bytes(fields, "evidence", limit_bytes=MAX_RECEIPT_BYTES),
            platform=manifest.platform,
            pcrs=_pcrs(fields.get("pcrs")),
        )

    async def _list(self, name: str) -> list[Json]:
        found = (await self._caller.call(name, within=_SHORT)).get(name)
        if not isinstance(found, list):
            raise WorkerAnswerError
        return found

    async def _ask_health(self) -> WorkerHealth:
        fields = await self._caller.call("health", within=_HEALTH)
        cells, queue = fields.get("cells"), fields.get("queue")
        if not isinstance(cells, dict) or not isinstance(queue, int):
            raise WorkerAnswerError
        self.queue = queue
        counts = {str(name): n for name, n in cells.items() if isinstance(n, int)}
        return WorkerHealth(ready=fields.get("ready") is True, cells=counts, queue=queue)


class _Remembered(Generic[T]):
    """One value of one connection, asked for again when it is old; waiters share one call."""

    def __init__(
        self,
        caller: Caller,
        ask: Callable[[], Awaitable[T]],
        monotonic: Callable[[], float],
        seconds: float,
    ) -> None:
        self._caller, self._ask, self._monotonic, self._seconds = caller, ask, monotonic, seconds
        self._lock = asyncio.Lock()
        self._value: tuple[T, int, float] | None = None

    async def get(self) -> T:
        async with self._lock:
            if not self._caller.is_up:
                raise WorkerUnavailableError
            epoch, now = self._caller.epoch, self._monotonic()
            if self._value is not None:
                value, known, until = self._value
                if known == epoch and now < until:
                    return value
            value = await self._ask()
            # Asked of the connection before: a new worker may be another one.
            if self._caller.epoch == epoch:
                self._value = (value, epoch, now + self._seconds)
            return value


def _bytes(fields: Fields, name: str, *, limit_bytes: int) -> bytes:
    value = fields.get(name)
    if not isinstance(value, bytes) or len(value) > limit_bytes:
        raise WorkerAnswerError
    return value


def _timings(value: Any) -> dict[str, float]:
    if not isinstance(value, dict) or len(value) > _TIMINGS:
        return {}
    return {
        name: float(milliseconds)
        for name, milliseconds in value.items()
        if isinstance(name, str)
        and len(name) <= _TIMINGS
        and name.isascii()
        and name.isidentifier()
        and isinstance(milliseconds, int | float)
        # JSON has no infinity, and neither has PostgreSQL's.
        and 0 <= milliseconds < _LONGEST_MS
    }


def _pcrs(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {
        name: f"0x{register.hex()}"
        for name, register in value.items()
        if isinstance(name, str) and isinstance(register, bytes)
    }
