"""A gateway in memory in front of a workshop: it can be made to lie, and keeps what it was sent."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast
from urllib.parse import unquote

import httpx
from tests.fakes.workshop import CREDENTIALS, GTE, FakeProofs, Workshop, circuits

from adyton.adapters.verifier import OfflineVerifier
from adyton.appraisal.policy import Policy
from adyton.codec.text import from_base64, to_base64
from adyton.crypto.binding import report_data
from adyton.crypto.hpke import SealSuite
from adyton.evidence.collateral import NO_COLLATERAL, Collateral
from adyton.flow.pipeline import certify
from adyton.flow.stages import Proven
from adyton.model.manifest import Manifest
from adyton.model.question import Endpoint, Question
from adyton.model.receipt import Receipt
from adyton.model.verdict import Verdict
from adyton.sdk.asking import Answer
from adyton.sdk.client import AsyncClient, Client
from adyton.verification.bind import Expectation
from adyton.verification.pipeline import verify_receipt

T = TypeVar("T")


class FakeVerifier:
    """The verification path, with proofs that a fake prover made."""

    def __init__(self) -> None:
        self.proofs = FakeProofs()
        self.is_closed = False

    def verify(
        self,
        receipt: Receipt,
        *,
        policy: Policy,
        expectation: Expectation,
        at: datetime,
        collateral: Collateral = NO_COLLATERAL,
    ) -> Verdict:
        return verify_receipt(
            receipt,
            policy=policy,
            expectation=expectation,
            circuits=circuits(),
            verifier=self.proofs,
            at=at,
            collateral=collateral,
        )

    def close(self) -> None:
        self.is_closed = True


@dataclass(kw_only=True)
class Gateway:
    """Answers ``GET /v1/attestation`` and questions; each part may be another one."""

    workshop: Workshop
    manifest: Manifest | None = None
    attestation: Callable[[dict[str, Any]], Any] = lambda answer: answer
    evidence: Callable[[bytes], bytes] | None = None
    answers: list[httpx.Response] = field(default_factory=list)
    receipt: Callable[[Receipt], Receipt] = lambda receipt: receipt
    challenges: list[bytes] = field(default_factory=list)
    posted: list[tuple[str, bytes]] = field(default_factory=list)
    headers: list[httpx.Headers] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.headers.append(request.headers)
        if request.method == "GET":
            return self._attest(request)
        self.posted.append((request.url.path, request.content))
        if self.answers:
            return self.answers.pop(0)
        endpoint = Endpoint(request.url.path.rpartition("/")[2])
        question = Question.from_bytes(endpoint, request.content)
        proven = self.workshop.derive(question)
        made = self.receipt(self.certified(proven))
        return httpx.Response(200, json=made.to_json())

    def _attest(self, request: httpx.Request) -> httpx.Response:
        text = unquote(str(request.url.params["challenge"]))
        text = text.replace("-", "+").replace("_", "/")
        challenge = from_base64(text + "=" * (-len(text) % 4), "challenge", limit_bytes=64)
        self.challenges.append(challenge)
        manifest = self.manifest or self.workshop.manifest
        evidence = (self.evidence or self.mint)(challenge)
        answer = {
            "enclave_public_key": "anything",
            "attestation_document": to_base64(evidence),
            "manifest": manifest.to_json(),
        }
        return httpx.Response(200, content=json.dumps(self.attestation(answer)).encode())

    def mint(self, challenge: bytes, **changes: Any) -> bytes:
        """Return good evidence, or evidence with something changed."""
        manifest = changes.get("manifest", self.workshop.manifest)
        platform = changes.get("platform", self.workshop.platform)
        nonce = changes.get("nonce", challenge)
        key = changes.get("public_key", manifest.signing_key)
        data = report_data(manifest.to_bytes(), changes.get("over", challenge))
        evidence: bytes = at_once(platform.evidence(data, nonce or None, key))
        return evidence

    def certified(self, proven: Proven) -> Receipt:
        """Return what the worker gives back for ``proven``."""
        return at_once(
            certify(
                proven,
                manifest=self.workshop.manifest,
                challenge=b"",
                platform=self.workshop.platform,
                signer=self.workshop.signing,
            )
        )


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits, also where a loop is running."""
    try:
        work.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise RuntimeError("it waited")


@dataclass(kw_only=True)
class Asker:
    """One of the two clients, used alike."""

    kind: str
    gateway: Callable[[httpx.Request], httpx.Response]
    policy: Policy
    suite: SealSuite = SealSuite.X25519
    verifier: FakeVerifier = field(default_factory=FakeVerifier)

    def ask(self, *, times: int = 1, **question: Any) -> Answer:
        """Ask so many times over one client; return the last answer."""
        asked: dict[str, Any] = {
            "endpoint": "balance",
            "predicate": GTE,
            "credentials": CREDENTIALS,
            **question,
        }
        arguments: dict[str, Any] = {
            "api_key": "adk_key",
            "policy": self.policy,
            "suite": self.suite,
            "verifier": cast("OfflineVerifier", self.verifier),
            "transport": httpx.MockTransport(self.gateway),
        }
        if self.kind == "blocking":
            with Client("http://gateway", **arguments) as client:
                return [client.ask(**asked) for _ in range(times)][-1]

        async def work() -> Answer:
            async with AsyncClient("http://gateway", **arguments) as client:
                return [await client.ask(**asked) for _ in range(times)][-1]

        return asyncio.run(work())
