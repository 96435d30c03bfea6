"""What the verification path needs from outside: verifiers of proofs, and nothing else."""

from typing import Protocol

from adyton.model.proving import Target

__all__ = ["DelegatedProofVerifier", "ProofVerifier"]


class ProofVerifier(Protocol):
    """UltraHonk verification. It needs no reference string and no network."""

    def verify(
        self, *, verification_key: bytes, public_inputs: tuple[int, ...], proof: bytes
    ) -> bool:
        """Return whether ``proof`` shows that ``public_inputs`` satisfy the key's circuit.

        Raises ``UnavailableError`` when that could not be found out.
        """
        ...


class DelegatedProofVerifier(Protocol):
    """Verification for each target. It needs no reference string and no network."""

    def verify_for(
        self,
        target: Target,
        *,
        verification_key: bytes,
        public_inputs: tuple[int, ...],
        proof: bytes,
    ) -> bool:
        """Return whether ``proof`` shows that ``public_inputs`` satisfy the key's circuit.

        Raises ``UnavailableError`` when that could not be found out.
        """
        ...
