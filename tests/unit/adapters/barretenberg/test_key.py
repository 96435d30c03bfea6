from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adyton.adapters.barretenberg import OracleHash, VerificationKey
from adyton.proofs.circuit import KeyMalformedError

KEY = Path(__file__).parents[4].joinpath("circuits/balance_threshold/verification_key").read_bytes()
COORDINATE_MODULUS = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47


def with_word(place: int, value: int, key: bytes = KEY) -> bytes:
    return key[: 32 * place] + value.to_bytes(32) + key[32 * (place + 1) :]


def as_poseidon2(key: bytes) -> bytes:
    """Write the same points in limbs of 136 bits."""
    data = key[:96]
    for at in range(96, len(key), 32):
        coordinate = int.from_bytes(key[at : at + 32])
        data += (coordinate & (1 << 136) - 1).to_bytes(32) + (coordinate >> 136).to_bytes(32)
    return data


def test_a_key_says_how_large_its_circuit_is() -> None:
    key = VerificationKey.from_bytes(KEY)
    assert (key.log_size, key.public_inputs) == (12, 9)
    assert key.oracle_hash is OracleHash.KECCAK
    assert key.data == KEY


def test_the_other_kind_of_key_has_two_words_a_coordinate() -> None:
    key = VerificationKey.from_bytes(as_poseidon2(KEY))
    assert (key.log_size, key.public_inputs) == (12, 9)
    assert key.oracle_hash is OracleHash.POSEIDON2


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        KEY[:-1],
        KEY + b"\0",
        with_word(0, 0),
        with_word(0, 29),
        with_word(0, 12 + 2**64),
        with_word(1, 7),
        with_word(1, 17 + 2**64),
        with_word(2, 2**12),
        with_word(2, int.from_bytes(KEY[64:96]) + 2**64),
        with_word(3, COORDINATE_MODULUS),
        with_word(58, 2**256 - 1),
        with_word(3, 2**136, as_poseidon2(KEY)),
        with_word(4, 2**118, as_poseidon2(KEY)),
    ],
)
def test_a_broken_key_is_refused(broken: bytes) -> None:
    with pytest.raises(KeyMalformedError):
        VerificationKey.from_bytes(broken)


@given(st.integers(0, 8 * 96 - 1))
def test_a_flipped_bit_in_the_numbers_is_seen(bit: int) -> None:
    flipped = (int.from_bytes(KEY) ^ 1 << (8 * len(KEY) - 1 - bit)).to_bytes(len(KEY))
    with suppress(KeyMalformedError):
        key = VerificationKey.from_bytes(flipped)
        # What is left is small enough for Barretenberg to read as it stands.
        assert all(int.from_bytes(flipped[at : at + 32]) < 2**64 for at in (0, 32, 64))
        assert key != VerificationKey.from_bytes(KEY)


@given(st.binary(min_size=1888, max_size=1888) | st.binary(max_size=64))
def test_any_bytes_are_a_key_or_malformed(data: bytes) -> None:
    with suppress(KeyMalformedError):
        assert VerificationKey.from_bytes(data).data == data
