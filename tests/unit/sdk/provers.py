"""A gateway and a worker in memory, with real keys and fake proofs; they can be made to lie."""

import asyncio
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

import httpx
from tests.fakes.workshop import Workshop, fake_proof
from tests.unit.sdk.gateways import Gateway, at_once

from adyton.adapters.verifier import OfflineVerifier
from adyton.appraisal.policy import Policy
from adyton.codec.text import from_base64
from adyton.crypto.binding import report_data
from adyton.crypto.hashing import sha256
from adyton.delegation.open import open_request
from adyton.model.proving import SealedProving, Target
from adyton.model.proving_job import NoirCircuit, UltraHonkJob
from adyton.model.proving_receipt import (
    PROVING_SIGNATURE_DOMAIN,
    ProvingReceipt,
    ProvingStatement,
)
from adyton.model.public_inputs import public_input_bytes
from adyton.model.verdict import Verdict
from adyton.sdk.client import AsyncClient, Client
from adyton.sdk.proving import Proof
from adyton.verification.delegated import ProvingExpectation
from adyton.verification.pipeline import verify_proving_receipt

WITNESS = b"what nobody else may see"
PROGRAM = b"a program"
KEY = b"its verification key"
INPUTS = (1, 2, 3)
JOB = UltraHonkJob(
    circuit=NoirCircuit(bytecode=gzip.compress(PROGRAM, mtime=0), key=KEY), solution=WITNESS
)


class FakeProofs:
    """Accepts what ``Prover`` makes, and nothing else."""

    def verify_for(
        self,
        _target: Target,
        *,
        verification_key: bytes,
        public_inputs: tuple[int, ...],
        proof: bytes,
    ) -> bool:
        return proof == fake_proof(verification_key, public_inputs)


class FakeVerifier:
    """The verification path, with proofs that are none."""

    def verify_proving(
        self,
        receipt: ProvingReceipt,
        *,
        policy: Policy,
        expectation: ProvingExpectation,
        at: datetime,
    ) -> Verdict:
        return verify_proving_receipt(
            receipt, policy=policy, expectation=expectation, verifier=FakeProofs(), at=at
        )

    def close(self) -> None:
        return


@dataclass(kw_only=True)
class Prover(Gateway):
    """Answers ``/v1/prove`` besides, at once or as a job; ``made`` may lie about the proof."""

    made: Callable[[ProvingReceipt], ProvingReceipt] = lambda receipt: receipt
    progress: list[httpx.Response | Exception] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    opened: list[Any] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.requests.append(f"{request.method} {request.url.raw_path.decode()}")
        if path == "/v1/attestation":
            return self._attest(request)
        if request.method == "POST":
            self.posted.append((path, request.content))
            if self.answers:
                return self.answers.pop(0)
            return self._accept(request)
        if path.endswith("/receipt"):
            return self._proven(self.posted[-1][1], b"")
        if request.method == "DELETE":
            return job("cancelled")
        found = self.progress.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def _attest(self, request: httpx.Request) -> httpx.Response:
        if "challenge" in request.url.params:
            return super()._attest(request)
        answer = {
            "attestation_document": "",
            "manifest": (self.manifest or self.workshop.manifest).to_json(),
        }
        return httpx.Response(200, content=json.dumps(self.attestation(answer)).encode())

    def _accept(self, request: httpx.Request) -> httpx.Response:
        if request.url.params.get("mode") == "job":
            return job("queued", status=202, place=2)
        text = request.url.params.get("challenge", "").replace("-", "+").replace("_", "/")
        challenge = from_base64(text + "=" * (-len(text) % 4), "challenge", limit_bytes=64)
        return self._proven(request.content, challenge)

    def _proven(self, sent: bytes, challenge: bytes) -> httpx.Response:
        sealed = SealedProving.from_bytes(sent)
        self.opened.append(open_request(sealed, opener=self.workshop.opening, now=_now()))
        return httpx.Response(200, content=self.made(self.sign(sealed, challenge)).to_bytes())

    def sign(self, sealed: SealedProving, challenge: bytes, **changes: Any) -> ProvingReceipt:
        """Return a good receipt, or a signed one with something changed in its statement."""
        proof, manifest = fake_proof(KEY, INPUTS), self.workshop.manifest
        statement = ProvingStatement(
            header=sealed.header,
            sealed=sha256(sealed.to_bytes()),
            circuit=sha256(PROGRAM),
            verification_key=sha256(KEY),
            public_inputs=sha256(public_input_bytes(INPUTS)),
            proof=sha256(proof),
            time=int(_now().timestamp()),
            manifest=sha256(manifest.to_bytes()),
        )
        statement = replace(statement, **changes)
        data = report_data(manifest.to_bytes(), challenge)
        return ProvingReceipt(
            statement=statement,
            signature=self.workshop.signing.sign(PROVING_SIGNATURE_DOMAIN, statement.to_bytes()),
            manifest=manifest,
            evidence=at_once(
                self.workshop.platform.evidence(data, challenge or None, manifest.signing_key)
            ),
            challenge=challenge,
            proof=proof,
            public_inputs=INPUTS,
            verification_key=KEY,
        )


def job(state: str, *, status: int = 200, **fields: Any) -> httpx.Response:
    """A job as a gateway shows it."""
    return httpx.Response(status, json={"job": "0" * 32, "state": state, **fields})


def prove(
    kind: str, gateway: Callable[[httpx.Request], httpx.Response], policy: Policy, **asked: Any
) -> Proof:
    """Have ``JOB`` proven by one of the two clients."""
    arguments: dict[str, Any] = {
        "api_key": "adk_key",
        "policy": policy,
        "verifier": cast("OfflineVerifier", FakeVerifier()),
        "transport": httpx.MockTransport(gateway),
    }
    if kind == "blocking":
        with Client("http://gateway", **arguments) as client:
            return client.prove(JOB, **asked)

    async def work() -> Proof:
        async with AsyncClient("http://gateway", **arguments) as client:
            return await client.prove(JOB, **asked)

    return asyncio.run(work())


def _now() -> datetime:
    return datetime.now(UTC)


def with_proof(receipt: ProvingReceipt, workshop: Workshop, **changes: Any) -> ProvingReceipt:
    """Return ``receipt`` with something changed, signed again as the worker would."""
    statement = replace(receipt.statement, **changes)
    signature = workshop.signing.sign(PROVING_SIGNATURE_DOMAIN, statement.to_bytes())
    return replace(receipt, statement=statement, signature=signature)
