"""The worker as the gateway sees it: its calls, each answer checked for its shape.

The gateway passes sealed questions and signed answers on and believes neither: it reads an answer
only to keep the audit. What it remembers of a worker, it forgets when the connection changes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Generic, TypeAlias, TypeVar

from adyton.adapters.frames import Fields
from adyton.adapters.link import WorkerUnavailableError
from adyton.codec.json import Json, JsonObject, loads
from adyton.errors import MalformedError, UnavailableError
from adyton.gateway.ports import Caller
from adyton.model.manifest import Manifest
from adyton.model.proving_receipt import MAX_PROVING_RECEIPT_BYTES, ProvingReceipt
from adyton.model.question import Endpoint
from adyton.model.receipt import MAX_RECEIPT_BYTES
from adyton.model.registry import Beat

__all__ = [
    "Answer",
    "BareProof",
    "Description",
    "OpenPgpDescription",
    "Phase",
    "RegisteredCircuit",
    "Worker",
    "WorkerAnswerError",
    "WorkerHealth",
]

T = TypeVar("T")
Phase: TypeAlias = Callable[[str], None]
"""Is told what the worker does now, whenever that changes."""

_SHORT: Final = timedelta(seconds=5)
_HEALTH: Final = timedelta(seconds=2)
# Evidence is renewed by the worker now and then; the rest stays for a connection's life.
_REMEMBERED_SECONDS: Final = 30.0
_HEALTH_SECONDS: Final = 0.5
_TIMINGS: Final = 32
_LONGEST_MS: Final = 1e9
_PHASES: Final = frozenset({"opened", "solving", "proving", "attesting"})
_REGISTERING: Final = timedelta(seconds=60)
# Megabytes that a Chonk proof stays far below.
_MAX_PROOF_BYTES: Final = 1024 * 1024
_MAX_KEY_BYTES: Final = 64 * 1024
_MAX_OPENPGP_BYTES: Final = 64 * 1024
_MAX_VERSIONS: Final = 16


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
class BareProof:
    """A proof without a receipt, for clients of TEE-Rex, and how long each step took."""

    proof: bytes
    timings: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredCircuit:
    """A circuit that the worker keeps, by the digest of its program."""

    digest: bytes
    verification_key: bytes
    gates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPgpDescription:
    """The worker's OpenPGP key, armored, and what vouches for it: ``mode`` is TEE-Rex's.

    ``versions`` has SHA-256 of ``bb`` by each version of Aztec that it is.
    """

    mode: str
    key: str
    evidence: bytes
    versions: Mapping[str, str]


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
        self._openpgp = _Remembered(caller, self._ask_openpgp, monotonic, _REMEMBERED_SECONDS)
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

    async def wait_until_up(self, *, within: timedelta) -> None:
        """Return when there is a connection, or raise ``WorkerUnavailableError``."""
        await self._caller.wait_until_up(within=within)

    async def prove(
        self, sealed: bytes, *, challenge: bytes, within: timedelta, on_phase: Phase
    ) -> Answer:
        """Return the worker's receipt for the sealed request, or raise its error.

        Who is cancelled meanwhile has the worker end the prover.
        """
        fields = await self._caller.call(
            "prove",
            within=within,
            on_event=lambda event: _tell(event, on_phase),
            sealed=sealed,
            challenge=challenge,
        )
        receipt = _bytes(fields, "answer", limit_bytes=MAX_PROVING_RECEIPT_BYTES)
        try:
            ProvingReceipt.from_bytes(receipt)
        except MalformedError as error:
            raise WorkerAnswerError from error
        return Answer(receipt=receipt, timings=_timings(fields.get("timings")))

    async def register_circuit(self, bytecode: bytes, *, target: str) -> RegisteredCircuit:
        """Return what the worker made of the circuit in ``bytecode``, which it keeps."""
        fields = await self._caller.call(
            "register-circuit", within=_REGISTERING, bytecode=bytecode, target=target
        )
        gates = fields.get("gates")
        if not isinstance(gates, int):
            raise WorkerAnswerError
        return RegisteredCircuit(
            digest=_bytes(fields, "circuit", limit_bytes=32),
            verification_key=_bytes(fields, "verification_key", limit_bytes=_MAX_KEY_BYTES),
            gates=gates,
        )

    async def openpgp(self) -> OpenPgpDescription:
        """Return the worker's OpenPGP key with evidence, at most half a minute old."""
        return await self._openpgp.get()

    async def openpgp_prove(self, message: bytes, *, within: timedelta) -> BareProof:
        """Return the proof for what is in an OpenPGP message, or raise the worker's error."""
        fields = await self._caller.call("openpgp-prove", within=within, message=message)
        proof = _bytes(fields, "proof", limit_bytes=_MAX_PROOF_BYTES)
        return BareProof(proof=proof, timings=_timings(fields.get("timings")))

    async def describe(self) -> Description:
        """Return what the worker is, at most half a minute old."""
        return await self._description.get()

    async def attest(self, challenge: bytes) -> bytes:
        """Return fresh evidence over the manifest and ``challenge``."""
        fields = await self._caller.call("attest", within=_SHORT, challenge=challenge)
        return _bytes(fields, "evidence", limit_bytes=MAX_RECEIPT_BYTES)

    async def apply(self, challenge: bytes, *, endpoint: str) -> bytes:
        """Return the worker's application to a registry, which it has signed."""
        fields = await self._caller.call(
            "apply", within=_SHORT, challenge=challenge, endpoint=endpoint
        )
        return _bytes(fields, "application", limit_bytes=MAX_RECEIPT_BYTES)

    async def beat(self, state: Beat) -> bytes:
        """Return a heartbeat for a registry, which the worker has signed."""
        fields = await self._caller.call("beat", within=_SHORT, state=state.value)
        return _bytes(fields, "heartbeat", limit_bytes=MAX_RECEIPT_BYTES)

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

    async def _ask_openpgp(self) -> OpenPgpDescription:
        fields = await self._caller.call("openpgp-key", within=_SHORT)
        mode, key, versions = fields.get("mode"), fields.get("key"), fields.get("versions")
        if mode not in _MODES or not isinstance(key, str) or not isinstance(versions, dict):
            raise WorkerAnswerError
        if len(key) > _MAX_OPENPGP_BYTES or len(versions) > _MAX_VERSIONS:
            raise WorkerAnswerError
        return OpenPgpDescription(
            mode=mode,
            key=key,
            evidence=_bytes(fields, "evidence", limit_bytes=MAX_RECEIPT_BYTES),
            versions={str(name): str(digest) for name, digest in versions.items()},
        )

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


# TEE-Rex's names.
_MODES: Final = frozenset({"standard", "nitro", "sgx"})


def _tell(event: Mapping[str, Any], on_phase: Phase) -> None:
    # Shown to callers: one of our own words, or nothing.
    if (phase := event.get("phase")) in _PHASES:
        on_phase(phase)


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
