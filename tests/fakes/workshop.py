"""A worker without processes: real keys, real evidence under a development root, and ports to fill.

With ``FakeSource`` and ``FakeProver`` it opens no socket and proves nothing, and its receipts hold
for ``FakeProofs``; with real ones it is the request path in one process.
"""

import asyncio
import hashlib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from adyton.adapters.insecure import ROOT_NAME, InsecurePlatform
from adyton.adapters.library import load_circuits, load_providers
from adyton.appraisal.policy import Policy
from adyton.codec.json import Json, JsonObject
from adyton.crypto.hashing import FIELD_MODULUS, sha256
from adyton.crypto.hpke import OpeningKey, SealSuite
from adyton.crypto.signing import SigningKey
from adyton.flow.pipeline import CellPorts, certify, derive
from adyton.flow.ports import Exchange, Http, HttpRequest, Proof, Prover
from adyton.flow.stages import Proven
from adyton.model.isolation import Isolation
from adyton.model.manifest import Manifest, Software
from adyton.model.ports import Randomness
from adyton.model.public_inputs import public_input_bytes
from adyton.model.question import Endpoint, Question
from adyton.model.receipt import SIGNATURE_DOMAIN, Receipt
from adyton.model.statement import Statement
from adyton.proofs.circuit import Circuit
from adyton.sdk.asking import question_body
from adyton.sdk.sealing import sealed_question
from adyton.sources import ProviderDefinition

ROOT: Final = Path(__file__).parents[2]
CREDENTIALS: Final = {"access_token": "token", "client_id": "c", "secret": "s"}
GTE: Final[JsonObject] = {"type": "gte", "threshold": 100}
ACCOUNTS: Final = (
    b'{"accounts": [{"type": "depository", "balances":'
    b' {"current": 12345.67, "iso_currency_code": "USD"}}],'
    b' "item": {"institution_id": "ins_109508"}}'
)


@lru_cache(maxsize=1)
def circuits() -> Mapping[str, Circuit]:
    return load_circuits(ROOT / "circuits")


@lru_cache(maxsize=1)
def providers() -> Mapping[str, ProviderDefinition]:
    return load_providers([ROOT / "providers"])


@dataclass(kw_only=True)
class FakeBudget:
    """Counts, and refuses nothing unless it is told to."""

    refusal: Exception | None = None
    spent: list[tuple[bytes, bytes]] = field(default_factory=list)

    def spend(self, credential: bytes, question: bytes) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.spent.append((credential, question))


@dataclass(kw_only=True)
class FakeSource:
    """A data source that answers everybody alike; what it was asked is kept."""

    status: int = 200
    body: bytes = ACCOUNTS
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    refusal: Exception | None = None
    asked: list[tuple[HttpRequest, int, float]] = field(default_factory=list)

    def exchange(self, request: HttpRequest, *, limit_bytes: int, timeout: float) -> Exchange:
        self.asked.append((request, limit_bytes, timeout))
        if self.refusal is not None:
            raise self.refusal
        return Exchange(
            status=self.status,
            headers=self.headers,
            body=self.body,
            server_name=request.host,
            protocol="TLSv1.3",
            cipher="TLS_AES_256_GCM_SHA384",
            certificates=(b"leaf", b"root"),
            plaintext_request=b"the request",
            plaintext_response=b"the response",
            sent=hashlib.sha256(b"sent").digest(),
            received=hashlib.sha256(b"received").digest(),
        )


@dataclass(kw_only=True)
class FakeProver:
    """Says what it is told to, for the public inputs that it was given.

    ``bend`` may change the public inputs, as a broken circuit would.
    """

    answer: bool = True
    refusal: Exception | None = None
    bend: Callable[[tuple[int, ...]], tuple[int, ...]] = lambda inputs: inputs
    inputs: list[Mapping[int, int]] = field(default_factory=list)

    def check(self, circuit: Circuit) -> None:
        if self.refusal is not None:
            raise self.refusal

    def prove(self, circuit: Circuit, inputs: Mapping[int, int]) -> Proof:
        self.inputs.append(inputs)
        count = circuit.public_input_count - 2
        witness = b"".join(value.to_bytes(32, "big") for _, value in sorted(inputs.items()))
        commitment = int.from_bytes(hashlib.sha512(witness).digest()) % FIELD_MODULUS
        public = (*(inputs[index] for index in range(count)), commitment, int(self.answer))
        public = self.bend(public)
        return Proof(proof=fake_proof(circuit.verification_key, public), public_inputs=public)


@dataclass(kw_only=True)
class FakeProofs:
    """Accepts what ``FakeProver`` made, and nothing else."""

    refusal: Exception | None = None
    asked: int = 0

    def verify(
        self, *, verification_key: bytes, public_inputs: tuple[int, ...], proof: bytes
    ) -> bool:
        self.asked += 1
        if self.refusal is not None:
            raise self.refusal
        return proof == fake_proof(verification_key, public_inputs)


def fake_proof(verification_key: bytes, public_inputs: tuple[int, ...]) -> bytes:
    return hashlib.sha512(verification_key + public_input_bytes(public_inputs)).digest() * 8


def counting() -> Randomness:
    """Return a source of bytes that nobody could call random, and no two of which are alike."""
    calls = itertools.count()
    return lambda size: hashlib.shake_256(str(next(calls)).encode()).digest(size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Keys, evidence, and both halves of the request path."""

    opening: OpeningKey
    signing: SigningKey
    platform: InsecurePlatform
    manifest: Manifest
    ports: CellPorts

    @classmethod
    def of(
        cls,
        *,
        folder: Path,
        clock: Callable[[], datetime],
        http: Http | None = None,
        prover: Prover | None = None,
        randomness: Randomness | None = None,
        added_roots: tuple[bytes, ...] = (),
    ) -> "Workshop":
        """Return a workshop whose platform's state is in ``folder``."""
        opening, signing = OpeningKey.generate(), SigningKey()
        manifest = Manifest(
            signing_key=signing.public,
            sealing_keys={suite.label: key for suite, key in opening.public.items()},
            circuits={name: circuit.key_digest for name, circuit in circuits().items()},
            providers={name: definition.digest() for name, definition in providers().items()},
            added_roots=added_roots,
            software=Software(
                version="0",
                prover=sha256(b"bb"),
                solver=sha256(b"acvm"),
                roots=sha256(b"certificates"),
            ),
            platform="insecure",
            isolation=Isolation.REQUEST,
            started=int(clock().timestamp()),
        )
        ports = CellPorts(
            opener=opening,
            http=http or FakeSource(),
            budget=FakeBudget(),
            prover=prover or FakeProver(),
            clock=clock,
            randomness=randomness or counting(),
            providers=providers(),
            circuits=circuits(),
            lap=lambda _step: None,
        )
        registers = dict.fromkeys(range(3), b"code")
        return cls(
            opening=opening,
            signing=signing,
            platform=InsecurePlatform.open(folder, measured=registers, clock=clock),
            manifest=manifest,
            ports=ports,
        )

    def policy_json(self, **receipt: Json) -> dict[str, Any]:
        """Return the policy of who accepts this workshop; ``receipt`` changes that section."""
        return {
            "version": "adyton/policy/v1",
            "roots": {ROOT_NAME: self.platform.root_sha256.hex()},
            "platforms": {
                "insecure": {
                    "debug": "refused",
                    "tcb": "not-required",
                    "measurements": "not-required",
                }
            },
            "evidence": {"maximum_age_seconds": 600, "challenge": "not-required"},
            "receipt": {
                "audience": "not-required",
                "maximum_age_seconds": 600,
                "nonce": "required",
                "circuits": "built-in",
                "providers": "any",
                "added_roots": [root.hex() for root in self.manifest.added_roots],
                "isolation": ["request"],
                **receipt,
            },
            "proving": {
                "audience": "not-required",
                "maximum_age_seconds": 600,
                "nonce": "required",
                "circuits": "any",
                "provers": "any",
            },
        }

    def policy(self, **receipt: Json) -> Policy:
        """Return the policy of who accepts this workshop; ``receipt`` changes that section."""
        return Policy.from_json(self.policy_json(**receipt))

    def question(
        self,
        endpoint: str = "balance",
        predicate: JsonObject = GTE,
        *,
        provider: str | JsonObject | None = None,
        credentials: Mapping[str, str] = CREDENTIALS,
        secrets: Mapping[str, Json] | None = None,
        audience: str = "",
        nonce: str = "asked once",
        **extra: Json,
    ) -> Question:
        """Return a question as it reaches the worker, its credentials sealed."""
        body, sealed = question_body(
            predicate,
            nonce=nonce,
            provider=provider,
            credentials=credentials,
            audience=audience,
            extra=extra,
        )
        _question, sent = sealed_question(
            Endpoint(endpoint),
            body,
            secrets={**sealed, **(secrets or {})},
            public_key=self.opening.public[SealSuite.X25519],
            suite=SealSuite.X25519,
            now=self.ports.clock(),
        )
        return Question.from_json(Endpoint(endpoint), sent)

    def derive(self, question: Question, **changes: Any) -> Proven:
        """Run the first half of the request path, as a cell does, with other ports if need be."""
        ports = replace(self.ports, **changes)
        return derive(question, manifest=sha256(self.manifest.to_bytes()), ports=ports)

    def receipt(
        self, question: Question | None = None, *, challenge: bytes = b"", **changes: Any
    ) -> Receipt:
        """Run the whole request path."""
        return asyncio.run(
            certify(
                self.derive(question or self.question(), **changes),
                manifest=self.manifest,
                challenge=challenge,
                platform=self.platform,
                signer=self.signing,
            )
        )

    def signed(self, receipt: Receipt, **changes: Any) -> Receipt:
        """Return ``receipt`` with another statement, signed by the worker all the same."""
        statement: Statement = replace(receipt.statement, **changes)
        signature = self.signing.sign(SIGNATURE_DOMAIN, statement.to_bytes())
        return replace(receipt, statement=statement, signature=signature)
