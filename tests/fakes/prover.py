"""A worker that proves nothing, in front of which a gateway queues, stores and passes on."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fakes.worker import FakeWorker, digest, manifest

from adyton.adapters.frames import Fields
from adyton.adapters.link import Emit
from adyton.model.proving import ProvingHeader, Scheme, SealedProving, Target
from adyton.model.proving_receipt import ProvingReceipt, ProvingStatement
from adyton.model.public_inputs import public_input_bytes

NOW = datetime(2026, 2, 3, 10, 30, tzinfo=UTC)
PROOF = b"\x01" * 7232
OPENPGP_KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"


def sealed(nonce: str = "a nonce", *, size: int = 100) -> bytes:
    """A request that nobody can open, as it crosses the host."""
    header = ProvingHeader(
        scheme=Scheme.ULTRA_HONK,
        target=Target.EVM,
        nonce=nonce,
        audience="",
        issued_at=int(NOW.timestamp()),
    )
    return SealedProving(header=header, box=b"\x07" * size).to_bytes()


def proving_receipt(request: bytes, challenge: bytes = b"") -> ProvingReceipt:
    """A well formed receipt that no verifier accepts."""
    made, inputs = manifest(), (1, 2)
    return ProvingReceipt(
        statement=ProvingStatement(
            header=SealedProving.from_bytes(request).header,
            sealed=hashlib.sha256(request).digest(),
            circuit=digest("program"),
            verification_key=digest("key"),
            public_inputs=hashlib.sha256(public_input_bytes(inputs)).digest(),
            proof=hashlib.sha256(PROOF).digest(),
            time=int(NOW.timestamp()),
            manifest=hashlib.sha256(made.to_bytes()).digest(),
        ),
        signature=b"\x02" * 64,
        manifest=made,
        evidence=b"\x03" * 4096,
        challenge=challenge,
        proof=PROOF,
        public_inputs=inputs,
        verification_key=b"\x04" * 1888,
    )


@dataclass(kw_only=True)
class FakeProver(FakeWorker):
    """Proves when it is let: each proof takes one of ``permits``."""

    permits: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(10_000))
    error: Exception | None = None
    mode: str = "standard"
    working: int = 0
    most: int = 0
    nonces: list[str] = field(default_factory=list)

    def hold(self) -> None:
        """Let no proof end until ``release``."""
        self.permits = asyncio.Semaphore(0)

    def release(self, count: int = 10_000) -> None:
        """Let so many end."""
        for _ in range(count):
            self.permits.release()

    async def __call__(self, name: str, fields: Fields, emit: Emit) -> dict[str, Any]:
        match name:
            case "prove":
                return await self._proven(fields, emit)
            case "openpgp-prove":
                self.calls.append((name, fields))
                await self._wait()
                return {"proof": PROOF, "timings": {"open": 3.4, "bb": 120.5}}
            case "openpgp-key":
                return {
                    "mode": self.mode,
                    "key": OPENPGP_KEY,
                    "evidence": b"" if self.mode == "standard" else b"evidence",
                    "versions": {"5.0.0": "ab" * 32},
                }
            case "register-circuit":
                self.calls.append((name, fields))
                return {
                    "circuit": digest("program"),
                    "verification_key": b"\x04" * 1888,
                    "gates": 4096,
                }
            case _:
                return await super().__call__(name, fields, emit)

    async def _proven(self, fields: Fields, emit: Emit) -> dict[str, Any]:
        self.calls.append(("prove", fields))
        request = fields["sealed"]
        self.nonces.append(SealedProving.from_bytes(request).header.nonce)
        emit({"phase": "opened"})
        emit({"phase": "\x1b[2J"})
        emit({"phase": "proving"})
        await self._wait()
        receipt = proving_receipt(request, fields["challenge"])
        return {"answer": receipt.to_bytes(), "timings": {"open": 1.0, "bb": 80.0}}

    async def _wait(self) -> None:
        self.working += 1
        self.most = max(self.most, self.working)
        permits = self.permits
        try:
            await permits.acquire()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.working -= 1
        if self.error is not None:
            raise self.error
