"""``adyton log hammer``: writers and readers at a notary, who check everything that they are given.

A writer keeps what it was given by number: a number that comes twice, or a proof that the log later
shows otherwise, is a contradiction. A writer whose request fails repeats it with the same
idempotency key until it is answered, through crashes and restarts; what it is given then counts.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from adyton.cli.credentials import read_api_key
from adyton.cli.exits import YES
from adyton.cli.terminal import console, plain, print_json, progress, table
from adyton.codec.javascript import Value, canonical, loads
from adyton.codec.json import JsonObject
from adyton.codec.text import from_base64, to_base64
from adyton.crypto.ed25519 import PUBLIC_KEY_SIZE, SIGNATURE_SIZE, check_ed25519
from adyton.errors import MalformedError, RejectedError
from adyton.ledger.checkpoint import (
    Checkpoint,
    CheckpointUnsignedError,
    NoteKey,
    open_checkpoint,
)
from adyton.ledger.log_proof import LogProof, check_included
from adyton.ledger.proof import MAX_PROOF_BYTES, Proof, proof_hash
from adyton.ledger.tree import HASH_SIZE, Hash, verify_consistency
from adyton.ledger.walk import walk
from adyton.sdk.log import origin_of

__all__ = ["Contradiction", "Hammer", "HammerLoad", "run_hammer"]

_PAUSE_SECONDS: Final = 0.05
_PATIENCE_SECONDS: Final = 120.0
_ANSWER_BYTES: Final = 64 * 1024 * 1024
_MOST_TIMES: Final = 1_000_000
_STRETCH: Final = 16


class Contradiction(RejectedError):  # noqa: N818  # what it is, and not a failure of ours
    """A notary said two things that cannot both be true of one log."""

    code = "log-contradiction"


@dataclass(frozen=True, slots=True, kw_only=True)
class HammerLoad:
    """How many write and read at a time, and how much."""

    writers: int = 8
    readers: int = 2
    digests: int = 1
    seconds: float = 10.0


@dataclass(slots=True)
class Hammer:
    """One run. ``given`` has the hash of each proof that a writer was answered, by number."""

    url: str
    api_key: str
    load: HammerLoad
    given: dict[int, bytes] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    retries: int = 0
    read: int = 0
    newest: Checkpoint | None = None
    keys: set[bytes] = field(default_factory=set)
    after: int = 0
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def figures(self) -> JsonObject:
        """Return what came of it, in numbers."""
        times = sorted(self.times)
        shown: JsonObject = {
            "proofs": len(self.given),
            "proofs_per_second": round(len(self.given) / self.load.seconds),
            "readings": self.read,
            "tries_again": self.retries,
        }
        if times:
            shown["p50_ms"] = round(times[len(times) // 2] * 1000)
            shown["p99_ms"] = round(times[len(times) * 99 // 100] * 1000)
        return shown

    async def run(self) -> None:
        """Write and read until the time is over or ``stop`` is set.

        Raises ``Contradiction``, and the errors of a proof that does not verify.
        """
        limits = httpx.Limits(max_connections=None)
        headers = {"Authorization": f"Bearer {self.api_key}"}
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, limits=limits, timeout=30
        ) as client:
            ending = asyncio.create_task(self._end())
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(self.load.writers):
                        group.create_task(self._until_stopped(client, self._write))
                    for _ in range(self.load.readers):
                        group.create_task(self._until_stopped(client, self._look))
            except BaseExceptionGroup as errors:
                raise errors.exceptions[0] from errors
            finally:
                ending.cancel()

    async def _end(self) -> None:
        await asyncio.sleep(self.load.seconds)
        self.stop.set()

    async def _until_stopped(
        self, client: httpx.AsyncClient, work: Callable[[httpx.AsyncClient], Awaitable[None]]
    ) -> None:
        while not self.stop.is_set():
            await work(client)

    async def _write(self, client: httpx.AsyncClient) -> None:
        digests = [os.urandom(32) for _ in range(self.load.digests)]
        body = canonical(
            {"digests": [{"digestB64": to_base64(item), "hashAlg": "sha256"} for item in digests]}
        )
        headers = {"Content-Type": "application/json", "Idempotency-Key": os.urandom(16).hex()}
        start = time.perf_counter()
        answer = await self._answered(lambda: client.post("/commit", content=body, headers=headers))
        if len(self.times) < _MOST_TIMES:
            self.times.append(time.perf_counter() - start)
        documents = loads(answer, limit_bytes=_ANSWER_BYTES)
        if not isinstance(documents, list) or len(documents) != len(digests):
            raise Contradiction("the answer has another number of proofs than was asked for")
        numbers = []
        for document, digest in zip(documents, digests, strict=True):
            proof = Proof.from_json(document)
            number = _check(proof, digest)
            if number in self.given:
                raise Contradiction(f"the number {number} was given twice")
            self.given[number] = proof.hash()
            numbers.append(number)
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            raise Contradiction("the proofs of one request do not follow each other")

    async def _look(self, client: httpx.AsyncClient) -> None:
        if not self.given:
            await asyncio.sleep(_PAUSE_SECONDS)
            return
        # Any that somebody was given, or the newest: what was just written is where it hurts.
        numbers = list(self.given)
        number = random.choice((numbers[-1], random.choice(numbers)))  # noqa: S311  # which one is no secret
        await self.look_up(client, number)
        await self.look_along(client, number)

    async def look_up(self, client: httpx.AsyncClient, number: int) -> None:
        """Check one proof that was given: it is still there, and the log has it."""
        proof = Proof.from_bytes(
            await self._answered(lambda: client.get(f"/v1/log/proofs/{number}"))
        )
        if proof.hash() != self.given[number]:
            raise Contradiction(f"the log has another proof with the number {number}")
        found, checkpoint = await self._included(client, number)
        check_included(proof.hash(), index=found.index, path=found.path, checkpoint=checkpoint)
        await self._extend(client, checkpoint)
        self.read += 1

    async def look_along(self, client: httpx.AsyncClient, number: int) -> None:
        """Check what the log has from a proof on: one chain, of what was given."""
        query = {"first": number, "last": number + _STRETCH - 1}
        answer = await self._answered(lambda: client.get("/v1/log/range", params=query))
        found = [loads(line, limit_bytes=MAX_PROOF_BYTES) for line in answer.splitlines()]
        if not walk(found).is_complete:
            raise Contradiction(f"the log's proofs from number {number} on are not one chain")
        for at, document in enumerate(found, start=number):
            if at in self.given and proof_hash(canonical(document)) != self.given[at]:
                raise Contradiction(f"the log has another proof with the number {at}")
        self.read += len(found)

    async def _included(
        self, client: httpx.AsyncClient, number: int
    ) -> tuple[LogProof, Checkpoint]:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            found = LogProof.from_bytes(
                await self._answered(lambda: client.get(f"/v1/log/inclusion/{number}"))
            )
            try:
                return found, self._opened(found.note)
            except CheckpointUnsignedError:
                # Perhaps the notary was started anew: its key is one that we do not know yet. If it
                # ended before its first proof, nobody names that key, and the next one has to sign.
                if time.monotonic() > deadline:
                    raise
            await self._learn(client)

    def _opened(self, note: bytes) -> Checkpoint:
        return open_checkpoint(note, keys=self._named(origin_of(note)))

    def _named(self, origin: str) -> list[NoteKey]:
        return [NoteKey(name=origin, public_key=key) for key in self.keys]

    async def _learn(self, client: httpx.AsyncClient) -> None:
        self.keys.add(_key(await self._json(lambda: client.get("/key"))))
        while True:
            query = {"after": self.after}
            answer = await self._json(
                lambda query=query: client.get("/v1/log/epochs", params=query)  # type: ignore[misc]
            )
            epochs = answer.get("epochs") if isinstance(answer, dict) else None
            if not isinstance(epochs, list):
                raise MalformedError("the answer has no epochs")
            if not epochs:
                return
            self.keys.update(_key(epoch) for epoch in epochs)
            self.after = int(str(epochs[-1]["first"])) if isinstance(epochs[-1], dict) else 0

    async def _json(self, ask: Callable[[], Awaitable[httpx.Response]]) -> Value:
        return loads(await self._answered(ask), limit_bytes=_ANSWER_BYTES)

    async def _extend(self, client: httpx.AsyncClient, found: Checkpoint) -> None:
        old = self.newest
        if old is None or found.size > old.size:
            self.newest = found
        if old is None or not old.size:
            return
        first, last = sorted((old, found), key=lambda checkpoint: checkpoint.size)
        query = {"old": first.size, "new": last.size}
        answer = await self._json(lambda: client.get("/v1/log/consistency", params=query))
        if not isinstance(answer, dict) or not isinstance(path := answer.get("path"), list):
            raise MalformedError("the answer has no path")
        verify_consistency(
            old=first.size,
            new=last.size,
            old_root=first.root,
            new_root=last.root,
            path=[Hash(from_base64(str(item), "a hash", limit_bytes=HASH_SIZE)) for item in path],
        )

    async def _answered(self, ask: Callable[[], Awaitable[httpx.Response]]) -> bytes:
        """Return the answer's body; ask again while there is none, or only one of 429 and 5xx."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                response = await ask()
            except httpx.TransportError:
                status = 0
            else:
                status = response.status_code
            if status == httpx.codes.OK:
                return response.content
            if 0 < status < httpx.codes.INTERNAL_SERVER_ERROR and (
                status != httpx.codes.TOO_MANY_REQUESTS
            ):
                raise Contradiction(f"the notary answered {status}: {response.text[:200]}")
            if time.monotonic() > deadline:
                raise Contradiction("the notary does not answer any more")
            self.retries += 1
            await asyncio.sleep(_PAUSE_SECONDS)


def _check(proof: Proof, digest: bytes) -> int:
    if proof.digest_text != to_base64(digest):
        raise Contradiction("a proof is about another digest than was sent")
    key = from_base64(proof.public_key_text, "the key", limit_bytes=PUBLIC_KEY_SIZE)
    signature = from_base64(proof.signature_text, "the signature", limit_bytes=SIGNATURE_SIZE)
    check_ed25519(key, proof.body(), signature)
    return int(proof.counter or "0")


def _key(value: Value) -> bytes:
    text = value.get("publicKeyB64") if isinstance(value, dict) else None
    if not isinstance(text, str):
        raise MalformedError("an epoch has no key")
    return from_base64(text, "a key", limit_bytes=PUBLIC_KEY_SIZE)


def run_hammer(url: str, load: HammerLoad, *, api_key_file: Path | None, as_json: bool) -> int:
    """Hammer a notary, print what came of it, and return the exit code."""
    made = Hammer(url=url, api_key=read_api_key(api_key_file), load=load)
    with progress(f"hammering for {load.seconds:g} s"):
        asyncio.run(made.run())
    shown = made.figures()
    if as_json:
        print_json(shown)
    else:
        rows = table("", "")
        rows.show_header = False
        for name, value in shown.items():
            rows.add_row(name.replace("_", " "), plain(value))
        console().print(rows)
    return YES
