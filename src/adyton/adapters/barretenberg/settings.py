"""Which variant of UltraHonk a proof is made and checked with."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from adyton.adapters.barretenberg.frame import Fields
from adyton.model.proving import Target

__all__ = ["DEFAULT_SETTINGS", "OracleHash", "ProofSettings", "settings_for"]


class OracleHash(StrEnum):
    """The hash that turns a transcript into challenges."""

    KECCAK = "keccak"  # cheap to verify on chain, and our default
    POSEIDON2 = "poseidon2"  # cheap to verify inside of another circuit


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofSettings:
    """What prover and verifier must agree on.

    Without ``zero_knowledge`` a proof leaks about its witness; it is for proofs of public data.
    With ``ipa_accumulation`` it carries a claim of an inner-product argument on, as Aztec's rollup
    circuits do.
    """

    oracle_hash: OracleHash = OracleHash.KECCAK
    zero_knowledge: bool = True
    ipa_accumulation: bool = False

    def fields(self) -> Fields:
        """Return the settings as Barretenberg's messages have them."""
        return {
            "ipa_accumulation": self.ipa_accumulation,
            "oracle_hash_type": self.oracle_hash.value,
            "disable_zk": not self.zero_knowledge,
            "optimized_solidity_verifier": False,
        }


DEFAULT_SETTINGS: Final = ProofSettings()

# The same as the targets of ``bb prove --verifier_target``; this build of bb has none for Starknet.
_FOR_TARGET: Final[Mapping[Target, ProofSettings]] = {
    Target.EVM: DEFAULT_SETTINGS,
    Target.EVM_NO_ZK: ProofSettings(zero_knowledge=False),
    Target.NOIR_RECURSIVE: ProofSettings(oracle_hash=OracleHash.POSEIDON2),
    Target.NOIR_RECURSIVE_NO_ZK: ProofSettings(
        oracle_hash=OracleHash.POSEIDON2, zero_knowledge=False
    ),
    Target.NOIR_ROLLUP: ProofSettings(oracle_hash=OracleHash.POSEIDON2, ipa_accumulation=True),
}


def settings_for(target: Target) -> ProofSettings:
    """Return what is proven with for ``target``, one of UltraHonk's."""
    return _FOR_TARGET[target]
