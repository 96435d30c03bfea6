"""Verification keys: three numbers and 28 points of BN254, in words of 32 bytes, big-endian.

The numbers are the logarithm of the circuit's size, the count of its public inputs (with eight that
Barretenberg adds for the pairing), and where these begin. A coordinate is one word under keccak,
and two under poseidon2: the lower 136 bits, then the rest.

Barretenberg takes the numbers modulo 2^64 and verifies on: with a bit flipped above, a key would
still do. So one way to write each key is settled here. Whether a point is on the curve is left to
Barretenberg, and whether the key is that of a circuit we know to whoever pins it.
"""

from dataclasses import dataclass, field
from typing import Final

from adyton.adapters.barretenberg.settings import OracleHash
from adyton.proofs.circuit import KeyMalformedError

__all__ = ["VerificationKey"]

_WORD: Final = 32
_NUMBERS: Final = 3
_COORDINATES: Final = 2 * 28
_LIMB_BITS: Final = 136
_PAIRING_INPUTS: Final = 8
# Barretenberg's own limit (CONST_PROOF_SIZE_LOG_N).
_MAX_LOG_SIZE: Final = 28
_MAX_INPUTS: Final = 4096
# The field of the curve's coordinates (EIP-197 names it p).
_COORDINATE_MODULUS: Final = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationKey:
    """A key in its only form.

    ``log_size``: the circuit has 2^log_size gates, and proving it takes as many points of the
    reference string. ``public_inputs``: how many a proof has.
    """

    data: bytes = field(repr=False)
    log_size: int
    public_inputs: int
    oracle_hash: OracleHash

    @classmethod
    def from_bytes(cls, data: bytes) -> "VerificationKey":
        """Read a key of either kind, or raise ``KeyMalformedError``."""
        if (oracle_hash := _KINDS.get(len(data))) is None:
            raise KeyMalformedError(f"the verification key has {len(data)} bytes")
        words = [int.from_bytes(data[at : at + _WORD]) for at in range(0, len(data), _WORD)]
        log_size, inputs, offset = words[:_NUMBERS]
        if not 1 <= log_size <= _MAX_LOG_SIZE:
            raise KeyMalformedError("the verification key has an impossible circuit size")
        if not _PAIRING_INPUTS <= inputs <= _MAX_INPUTS:
            raise KeyMalformedError("the verification key has an impossible count of public inputs")
        if offset >= 1 << log_size:
            raise KeyMalformedError(
                "the verification key has its public inputs outside of the circuit"
            )
        if not _has_coordinates(words[_NUMBERS:]):
            raise KeyMalformedError(
                "the verification key has a coordinate beyond the curve's field"
            )
        return cls(
            data=data,
            log_size=log_size,
            public_inputs=inputs - _PAIRING_INPUTS,
            oracle_hash=oracle_hash,
        )


_KINDS: Final = {
    _WORD * (_NUMBERS + _COORDINATES): OracleHash.KECCAK,
    _WORD * (_NUMBERS + 2 * _COORDINATES): OracleHash.POSEIDON2,
}


def _has_coordinates(words: list[int]) -> bool:
    if len(words) == _COORDINATES:
        return all(word < _COORDINATE_MODULUS for word in words)
    limbs = zip(words[0::2], words[1::2], strict=True)
    return all(
        low >> _LIMB_BITS == 0 and (high << _LIMB_BITS) + low < _COORDINATE_MODULUS
        for low, high in limbs
    )
