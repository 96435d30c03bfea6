"""What the verification path needs from outside: a verifier of proofs, and nothing else."""

from typing import Protocol

__all__ = ["ProofVerifier"]


class ProofVerifier(Protocol):
    """UltraHonk verification. It needs no reference string and no network."""

    def verify(
        self, *, verification_key: bytes, public_inputs: tuple[int, ...], proof: bytes
    ) -> bool:
        """Return whether ``proof`` shows that ``public_inputs`` satisfy the key's circuit.

        Raises ``UnavailableError`` when that could not be found out.
        """
        ...
