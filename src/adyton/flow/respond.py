"""Step ``respond``: sign the statement; the receipt is all that leaves."""

from adyton.flow.ports import Signer
from adyton.flow.stages import Attested
from adyton.model.receipt import SIGNATURE_DOMAIN, Receipt

__all__ = ["respond"]


def respond(attested: Attested, *, signer: Signer) -> Receipt:
    """Return the receipt for an answer that was proven and attested."""
    proven = attested.proven
    return Receipt(
        statement=proven.statement,
        signature=signer.sign(SIGNATURE_DOMAIN, proven.statement.to_bytes()),
        manifest=attested.manifest,
        evidence=attested.evidence,
        challenge=attested.challenge,
        proof=proven.proof,
        public_inputs=proven.public_inputs,
        verification_key=proven.verification_key,
    )
