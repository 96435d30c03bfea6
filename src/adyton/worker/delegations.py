"""Delegated proofs, as the worker sees them: guards before a cell, and the signature after it.

The worker never opens a request, nor reads a circuit: a cell does. What the worker signs, it writes
itself, from the header in the clear, from digests that it computed, and from what the cell says of
the proof that it made.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from adyton.adapters.frames import Fields
from adyton.adapters.link import Emit
from adyton.adapters.linked_errors import error_fields, linked_error
from adyton.crypto.hashing import sha256
from adyton.delegation.open import MAX_AGE
from adyton.errors import AdytonError, MalformedError, UnavailableError
from adyton.model.ports import Clock
from adyton.model.proving import SchemeUnavailableError, SealedProving, Target
from adyton.model.proving_job import NoirCircuit
from adyton.model.proving_receipt import (
    MAX_PROVING_RECEIPT_BYTES,
    PROVING_SIGNATURE_DOMAIN,
    ProvingReceipt,
    ProvingStatement,
)
from adyton.model.public_inputs import public_input_bytes
from adyton.model.window import CLOCK_TOLERANCE
from adyton.worker.cells import Cells
from adyton.worker.channel import OPENPGP, PROVE, REGISTER
from adyton.worker.circuits import RegisteredCircuits
from adyton.worker.identity import Attester, Keys, check_challenge
from adyton.worker.replay import ReplayGuard

__all__ = ["Delegations", "ReceiptTooLargeError"]

# Each takes some hundred bytes, and is kept for a day. As many proofs a day take many cores.
_REMEMBERED: Final = 400_000


class ReceiptTooLargeError(UnavailableError):
    """A proof, with its public inputs, is longer than a receipt can be."""

    code = "receipt-too-large"

    def __init__(self, *, size: int) -> None:
        limit = MAX_PROVING_RECEIPT_BYTES
        super().__init__(f"the receipt would have {size} bytes, the limit is {limit}")
        self.size = size


class Delegations:
    """Answers calls for delegated proofs. Its ``cells`` are its own: questions have others."""

    def __init__(
        self,
        *,
        keys: Keys,
        attester: Attester,
        cells: Cells,
        circuits: RegisteredCircuits,
        clock: Clock,
    ) -> None:
        self._keys, self._attester, self._cells = keys, attester, cells
        self._circuits, self._clock = circuits, clock
        self._opening_key = keys.opening.to_bytes()
        self._manifest = sha256(attester.manifest.to_bytes())
        self._attempts: dict[bytes, asyncio.Event] = {}
        self._replay = ReplayGuard(lifetime=MAX_AGE + 2 * CLOCK_TOLERANCE, limit=_REMEMBERED)

    async def prove(self, data: bytes, challenge: bytes, emit: Emit) -> Mapping[str, Any]:
        """Return the receipt for the request in ``data``.

        1. The request is well formed, and was not answered before.
        2. A cell proves, and is gone.
        3. What is signed names this request, this worker and this proof.

        An attempt that ends without an answer, whatever the reason, is none: the request may be
        sent again, to the same end.
        """
        # Step 1
        check_challenge(challenge)
        sealed = SealedProving.from_bytes(data)
        digest = sha256(data)
        async with self._alone(digest):
            self._replay.admit([digest], now=self._clock())
            try:
                # Step 2
                job = {"kind": PROVE, "sealed": data, "key": self._opening_key}
                result = await self._run(job, emit)
                emit({"phase": "attesting"})
                start = time.perf_counter()
                evidence = await self._attester.attest(challenge)
                # Step 3
                answer = self._signed(sealed, digest, result, evidence, challenge)
            except BaseException:
                # Only what was answered is remembered: refusals would fill the memory for a day.
                self._replay.forget([digest])
                raise
        certified = (time.perf_counter() - start) * 1000
        return {"answer": answer, "timings": {**result["timings"], "certify": certified}}

    async def prove_message(self, message: bytes, key: bytes, emit: Emit) -> Mapping[str, Any]:
        """Return the proof for the steps in an OpenPGP message, which the secret ``key`` opens.

        There is no receipt: the clients that send such messages know none.
        """
        result = await self._run({"kind": OPENPGP, "message": message, "key": key}, emit)
        return {"proof": result["proof"], "timings": result["timings"]}

    async def register(self, bytecode: bytes, target: str) -> Mapping[str, Any]:
        """Return the digest, key and size of a circuit, which is kept."""
        try:
            wanted = Target(target)
        except ValueError as error:
            raise SchemeUnavailableError from error
        if wanted is Target.AZTEC:
            raise MalformedError("a chain of circuits cannot be registered")
        job = {"kind": REGISTER, "bytecode": bytecode, "target": wanted.value}
        result = await self._run(job, lambda _event: None)
        key, digest = result["verification_key"], result["circuit"]
        self._circuits.add(digest, wanted, NoirCircuit(bytecode=bytecode, key=key))
        return {"circuit": digest, "verification_key": key, "gates": result["gates"]}

    @property
    def counts(self) -> Mapping[str, int]:
        """How many proofs are active and waiting, and how many cells are idle."""
        return self._cells.counts

    async def close(self) -> None:
        """End every cell."""
        await self._cells.close()

    def _signed(
        self,
        sealed: SealedProving,
        digest: bytes,
        result: Fields,
        evidence: bytes,
        challenge: bytes,
    ) -> bytes:
        inputs = tuple(int.from_bytes(element) for element in result["public_inputs"])
        statement = ProvingStatement(
            header=sealed.header,
            sealed=digest,
            circuit=result["circuit"],
            verification_key=sha256(result["verification_key"]),
            public_inputs=sha256(public_input_bytes(inputs)),
            proof=sha256(result["proof"]),
            time=int(self._clock().timestamp()),
            manifest=self._manifest,
        )
        receipt = ProvingReceipt(
            statement=statement,
            signature=self._keys.signing.sign(PROVING_SIGNATURE_DOMAIN, statement.to_bytes()),
            manifest=self._attester.manifest,
            evidence=evidence,
            challenge=challenge,
            proof=result["proof"],
            public_inputs=inputs,
            verification_key=result["verification_key"],
        )
        answer = receipt.to_bytes()
        if len(answer) > MAX_PROVING_RECEIPT_BYTES:
            raise ReceiptTooLargeError(size=len(answer))
        return answer

    @asynccontextmanager
    async def _alone(self, digest: bytes) -> AsyncIterator[None]:
        """Wait for an attempt at the same request to end: whether it gave an answer is known then.

        A gateway that starts again sends what it had accepted while the worker still ends what the
        old one had asked for.
        """
        while (other := self._attempts.get(digest)) is not None:
            await other.wait()
        ended = self._attempts[digest] = asyncio.Event()
        try:
            yield
        finally:
            del self._attempts[digest]
            ended.set()

    async def _run(self, job: Fields, emit: Emit) -> Fields:
        async def reply(message: Fields) -> Fields:
            return self._reply(message, emit)

        result = await self._cells.run(job, reply)
        if not result["done"]:
            raise linked_error(result["error"])
        return result

    def _reply(self, message: Fields, emit: Emit) -> Fields:
        if "phase" in message:
            emit({"phase": message["phase"]})
            return {}
        try:
            found = self._circuits.find(message["circuit"], Target(message["target"]))
        except AdytonError as error:
            return {"error": error_fields(error)}
        return {"bytecode": found.bytecode, "key": found.key}
