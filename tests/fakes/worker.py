"""A worker that holds no enclave and proves nothing, behind the real link protocol.

Its receipts are well formed and signed by nobody. ``FakeWorker`` is a handler for ``serve_link``;
``Direct`` calls it without a socket.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from adyton.adapters.frames import Fields
from adyton.adapters.link import Emit, WorkerTimeoutError, WorkerUnavailableError
from adyton.adapters.linked_errors import error_fields, linked_error
from adyton.crypto.hashing import hash_to_field
from adyton.errors import AdytonError, RejectedError, UnavailableError
from adyton.model.isolation import Isolation
from adyton.model.manifest import Manifest, Software
from adyton.model.public_inputs import public_input_bytes
from adyton.model.question import Endpoint, Question
from adyton.model.receipt import Receipt
from adyton.model.statement import Statement
from adyton.model.transcript import Transcript
from adyton.model.value import DataSource

PROVIDER = "plaid-balance"
CIRCUIT = "balance_threshold"
HOST = "production.plaid.com"


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


class UnknownProviderError(RejectedError):
    code = "unknown-provider"


class BusyError(UnavailableError):
    code = "overloaded"
    retry_after = timedelta(seconds=7)


def manifest() -> Manifest:
    return Manifest(
        signing_key=digest("signing key"),
        sealing_keys={"x25519": digest("x25519"), "mlkem768-x25519": b"\x05" * 1216},
        circuits={CIRCUIT: digest("key")},
        providers={PROVIDER: digest("definition")},
        added_roots=(),
        software=Software(
            version="0", prover=digest("bb"), solver=digest("acvm"), roots=digest("roots")
        ),
        platform="insecure",
        isolation=Isolation.REQUEST,
        started=1_700_000_000,
    )


def receipt(question: Question, challenge: bytes, *, answer: bool = True) -> Receipt:
    """A well formed receipt, as long as a real one, that no verifier accepts."""
    inputs = (hash_to_field("adyton/nonce/v1", question.nonce.encode(), b""), *range(8), answer)
    proof = b"\x01" * 7232
    provider = question.provider if isinstance(question.provider, str) else "inline"
    made = manifest()
    return Receipt(
        statement=Statement(
            question=question,
            sealed={},
            answer=answer,
            provider=provider,
            provider_digest=digest("definition"),
            source=DataSource(name="plaid", institution="ins_109508"),
            circuit=CIRCUIT,
            verification_key=digest("key"),
            parameters={"currency": "USD", "lower": "1", "upper": "2"},
            scale=2,
            time=1_700_000_001,
            proof=hashlib.sha256(proof).digest(),
            public_inputs=hashlib.sha256(public_input_bytes(inputs)).digest(),
            transcript=Transcript(
                server_name=HOST,
                protocol="TLSv1.3",
                cipher="TLS_AES_256_GCM_SHA384",
                certificate_chain=digest("chain"),
                request_commitment=digest("request"),
                response_commitment=digest("response"),
                sent=digest("sent"),
                received=digest("received"),
            ),
            manifest=hashlib.sha256(made.to_bytes()).digest(),
        ),
        signature=b"\x02" * 64,
        manifest=made,
        evidence=b"\x03" * 4096,
        challenge=challenge,
        proof=proof,
        public_inputs=inputs,
        verification_key=b"\x04" * 1888,
    )


@dataclass(kw_only=True)
class FakeWorker:
    """Answers every call. ``ask`` may be replaced; what was asked and cancelled is kept."""

    ask: Callable[[Question, bytes], Awaitable[Any]] | None = None
    ready: bool = True
    hosts: tuple[str, ...] = (HOST,)
    seconds: float = 0.0
    calls: list[tuple[str, Fields]] = field(default_factory=list)
    cancelled: int = 0
    faults: dict[str, Any] = field(default_factory=dict)

    async def __call__(self, name: str, fields: Fields, _emit: Emit) -> dict[str, Any]:
        self.calls.append((name, fields))
        if name in self.faults:
            fault = self.faults[name]
            if isinstance(fault, Exception):
                raise fault
            return dict(fault)
        if name == "ask":
            return await self._ask(fields)
        if name == "attest":
            return {"evidence": b"\x06" * 4096 + fields["challenge"]}
        if name not in _FIXED:
            raise UnknownProviderError(f"no call {name}")
        return {**_FIXED[name], **self._changing(name)}

    def _changing(self, name: str) -> dict[str, Any]:
        match name:
            case "health":
                return {"ready": self.ready}
            case "providers":
                return {"providers": [{**_PROVIDER, "hosts": list(self.hosts)}]}
            case _:
                return {}

    async def _ask(self, fields: Fields) -> dict[str, Any]:
        question = Question.from_bytes(Endpoint(fields["endpoint"]), fields["body"])
        try:
            if self.ask is not None:
                return dict(await self.ask(question, fields["challenge"]))
            if self.seconds:
                await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return answered(question, fields["challenge"])


def answered(question: Question, challenge: bytes, *, answer: bool = True) -> dict[str, Any]:
    """The fields of an ``ask``'s answer."""
    made = receipt(question, challenge, answer=answer)
    return {
        "answer": json.dumps(made.to_json()).encode(),
        "timings": {"open": 0.2, "fetch": 12.5, "prove": 80.25},
    }


_PROVIDER: dict[str, Any] = {
    "id": PROVIDER,
    "name": "Plaid account balance",
    "source": "plaid",
    "endpoint": "balance",
    "circuit": CIRCUIT,
    "digest": digest("definition").hex(),
    "credentials": [{"name": "access_token", "description": "Access token", "encrypted": True}],
    "predicates": ["balance_gte"],
}

_FIXED: dict[str, dict[str, Any]] = {
    "describe": {
        "manifest": manifest().to_bytes(),
        "evidence": b"\x03" * 4096,
        "platform": "insecure",
        "pcrs": {f"pcr{index}": bytes([index]) * 48 for index in range(3)},
    },
    "providers": {},
    "circuits": {
        "circuits": [
            {
                "name": CIRCUIT,
                "verification_key": "BAQE",
                "digest": digest("key").hex(),
                "gates": 2969,
                "public_inputs": ["nonce", "data_source", "provider", "time"],
            }
        ]
    },
    "health": {"cells": {"active": 0, "idle": 2}, "queue": 0},
}


class Direct:
    """The caller's side of the link, without a link: for tests that open no socket."""

    def __init__(self, worker: FakeWorker) -> None:
        self.worker = worker
        self.is_up = True
        self.epoch = 1
        self._changed = asyncio.Event()

    def reconnect(self) -> None:
        self.epoch += 1
        self._changed.set()

    async def call(
        self, name: str, /, *, within: timedelta, on_event: Emit | None = None, **fields: Any
    ) -> Fields:
        if not self.is_up:
            raise WorkerUnavailableError
        try:
            async with asyncio.timeout(within.total_seconds()):
                return await self.worker(name, fields, on_event or (lambda _event: None))
        except TimeoutError as error:
            raise WorkerTimeoutError(within=within) from error
        except WorkerUnavailableError:
            # The link's own: it broke.
            raise
        except AdytonError as error:
            raise linked_error(error_fields(error)) from error

    async def wait_until_up(self, *, within: timedelta) -> None:
        async with asyncio.timeout(within.total_seconds()):
            while not self.is_up:  # noqa: ASYNC110  # a test sets a plain attribute
                await asyncio.sleep(0.001)

    async def next_epoch(self, seen: int) -> int:
        while self.epoch <= seen:
            self._changed.clear()
            await self._changed.wait()
        return self.epoch
