"""Which variant of UltraHonk a proof is made and checked with."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adyton.adapters.barretenberg.frame import Fields

__all__ = ["DEFAULT_SETTINGS", "OracleHash", "ProofSettings"]


class OracleHash(StrEnum):
    """The hash that turns a transcript into challenges."""

    KECCAK = "keccak"  # cheap to verify on chain, and our default
    POSEIDON2 = "poseidon2"  # cheap to verify inside of another circuit


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSettings:
    """What prover and verifier must agree on.

    Without ``zero_knowledge`` a proof leaks about its witness; it is for proofs of public data.
    """

    oracle_hash: OracleHash = OracleHash.KECCAK
    zero_knowledge: bool = True

    def fields(self) -> Fields:
        """Return the settings as Barretenberg's messages have them."""
        return {
            "ipa_accumulation": False,
            "oracle_hash_type": self.oracle_hash.value,
            "disable_zk": not self.zero_knowledge,
            "optimized_solidity_verifier": False,
        }


DEFAULT_SETTINGS: Final = ProofSettings()
