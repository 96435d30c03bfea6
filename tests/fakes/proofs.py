"""A notary in memory: a chain of proofs, the log beside it, and evidence if there is a vendor."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from tests.fakes.nitro import REGISTERS, TIMESTAMP, FakeNitro

from adyton.codec.javascript import Value, canonical
from adyton.crypto.ed25519 import Ed25519Key
from adyton.ledger.checkpoint import Checkpoint, NoteKey, sign_checkpoint
from adyton.ledger.epoch import EpochLink, epoch_binding, epoch_id
from adyton.ledger.log_proof import LogProof
from adyton.ledger.proof import Enforcement, ProofTemplate, proof_hash
from adyton.ledger.tree import Frontier, Hash, consistency, inclusion, leaf_hash

__all__ = ["ORIGIN", "FakeNotary"]

ORIGIN = "notary.example/log"
PCR0 = REGISTERS[0].hex()


class FakeNotary:
    """Makes right proofs; an argument makes one of them wrong in one way.

    With ``nitro``, every proof has evidence: ``over`` says what it is over.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        nitro: FakeNitro | None = None,
        over: str = "epoch",
        measurement: str = PCR0,
    ) -> None:
        self._nitro, self._over, self._measurement = nitro, over, measurement
        self._frontier, self._nodes = Frontier(), dict[tuple[int, int], Hash]()
        self.proofs: list[bytes] = []
        self._begin(seed)

    def _begin(self, seed: int) -> None:
        self.key = Ed25519Key(bytes([seed]) * 32)
        self.epoch = epoch_id(self.key.public, bytes([seed]) * 32)
        self._is_first = True
        self.template = ProofTemplate(
            public_key=self.key.public,
            enforcement=Enforcement.STUB if self._nitro is None else Enforcement.MEASURED_TEE,
            measurement=self._measurement,
            epoch_id=self.epoch,
            attestation_format=None if self._nitro is None else "aws-nitro",
            anchor="memory",
        )

    @property
    def note_key(self) -> NoteKey:
        return NoteKey(name=ORIGIN, public_key=self.key.public)

    def commit(
        self,
        data: bytes,
        *,
        metadata: Mapping[str, Value] | None = None,
        time_ms: int = TIMESTAMP,
        counter: int | None = None,
        prev: bytes | None = None,
        **extra: Any,
    ) -> bytes:
        """Return the next proof, of ``data``."""
        last = proof_hash(self.proofs[-1]) if self.proofs else None
        body = self.template.body(
            digest=hashlib.sha256(data).digest(),
            counter=len(self.proofs) + 1 if counter is None else counter,
            nonce=hashlib.sha256(b"nonce" + len(self.proofs).to_bytes(4, "big")).digest(),
            time_ms=time_ms,
            prev=prev or (None if self._is_first else last),
            extra={**self._link_once(), **extra},
        )
        proof = self.template.proof(
            body=body,
            signature=self.key.sign(body),
            report=self._report(body),
            metadata=None if metadata is None else canonical(metadata),
        )
        self._add(proof)
        return proof

    def next_epoch(self, seed: int) -> None:
        """Go on with another key; the next proof links to the last one."""
        previous, key = self.epoch, self.key.public
        self._begin(seed)
        self._link = EpochLink(
            previous_epoch=previous,
            previous_key=key,
            previous_counter=len(self.proofs),
            previous_hash=proof_hash(self.proofs[-1]),
            epoch=self.epoch,
            public_key=self.key.public,
        )

    def checkpoint(self, size: int | None = None) -> bytes:
        """Return the signed checkpoint of the log as it is, or was."""
        frontier = Frontier()
        for proof in self.proofs[:size]:
            frontier.append(leaf_hash(proof_hash(proof)))
        found = Checkpoint(origin=ORIGIN, size=frontier.size, root=frontier.root())
        return sign_checkpoint(found, key=self.note_key, sign=self.key.sign)

    def place(self, counter: int, **changes: Any) -> LogProof:
        """Return where in the log the proof with this counter is."""
        path = inclusion(counter - 1, len(self.proofs), self.read_node)
        fields = {"index": counter - 1, "path": tuple(path), "note": self.checkpoint(), **changes}
        return LogProof(**fields)

    def consistency(self, old: int) -> list[Hash]:
        return consistency(old, len(self.proofs), self.read_node)

    def read_node(self, level: int, index: int) -> Hash:
        return self._nodes[level, index]

    _link: EpochLink | None = None

    def _link_once(self) -> dict[str, Value]:
        link, self._link = self._link, None
        return {} if link is None else {"epochLink": link.to_json()}

    def _add(self, proof: bytes) -> None:
        self.proofs.append(proof)
        self._is_first = False
        for level, index, hashed in self._frontier.append(leaf_hash(proof_hash(proof))):
            self._nodes[level, index] = hashed

    def _report(self, body: bytes) -> bytes | None:
        if self._nitro is None:
            return None
        forms: dict[str, Callable[[], bytes]] = {
            "epoch": lambda: epoch_binding(self.key.public, self.epoch),
            "commit": lambda: self.template.evidence_digest(body),
            "commit-and-format": lambda: hashlib.sha256(body).digest(),
            "nothing": lambda: bytes(32),
        }
        return self._nitro.document(self._nitro.fields(user_data=forms[self._over]()))
