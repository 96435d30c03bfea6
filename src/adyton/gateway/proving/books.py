"""The audit of delegated proofs: one entry for each that was asked for, however it ended."""

from dataclasses import dataclass, replace
from typing import Final

from adyton.adapters.store.records import AuditEntry
from adyton.crypto.hashing import sha256
from adyton.errors import AdytonError
from adyton.gateway.metrics import Metrics
from adyton.gateway.ports import Audit
from adyton.gateway.problems import status_of
from adyton.gateway.worker import Answer
from adyton.model.ports import Clock
from adyton.model.proving_receipt import ProvingReceipt

__all__ = ["Books", "proving_entry"]

_ENDPOINT: Final = "prove"
# The width of the audit's column.
_CODE_WIDTH: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Notes in the audit how requests ended."""

    audit: Audit
    metrics: Metrics
    clock: Clock

    async def note(self, entry_id: str, key_id: str, outcome: Answer | AdytonError) -> None:
        """Return when the audit has it on the disk, or raise ``StoreUnavailableError``."""
        blank = AuditEntry(
            id=entry_id, time=self.clock(), key_id=key_id, endpoint=_ENDPOINT, status=200
        )
        await self.audit.write(proving_entry(outcome, blank))
        if isinstance(outcome, Answer):
            self.metrics.worked(outcome.timings)


def proving_entry(outcome: Answer | AdytonError, blank: AuditEntry) -> AuditEntry:
    """Return ``blank`` with what is kept of how a request ended: digests, or the error's code."""
    if isinstance(outcome, AdytonError):
        return replace(blank, status=status_of(outcome), code=outcome.code[:_CODE_WIDTH])
    statement = ProvingReceipt.from_bytes(outcome.receipt).statement
    header = statement.header
    return replace(
        blank,
        circuit=statement.circuit.hex(),
        public_inputs={"scheme": header.scheme.value, "target": header.target.value},
        proof=statement.proof.hex(),
        public_inputs_digest=statement.public_inputs.hex(),
        statement=sha256(statement.to_bytes()).hex(),
        manifest=statement.manifest.hex(),
        timings=outcome.timings,
    )
