from pathlib import Path
from typing import Any

import pytest

from adyton.adapters.barretenberg import (
    DEFAULT_SETTINGS,
    CircuitStats,
    OracleHash,
    Proof,
    ProofSettings,
    ProverFailedError,
    ProverMemoryExceededError,
    ProverRefusedError,
)
from adyton.adapters.barretenberg.commands import (
    compute_key,
    is_verifiable,
    poseidon2,
    prove,
    stats,
    verify,
)
from adyton.crypto.hashing import FIELD_MODULUS

KEY = Path(__file__).parents[4].joinpath("circuits/balance_threshold/verification_key").read_bytes()
ONE, TWO = (1).to_bytes(32), (2).to_bytes(32)
INPUTS = tuple(range(9))
ASK_VERIFY = verify(KEY, public_inputs=INPUTS, proof=ONE + TWO, settings=DEFAULT_SETTINGS)
ASK_PROVE = prove(b"acir", key=KEY, witness=b"witness", settings=DEFAULT_SETTINGS)


def test_settings_are_keccak_with_zero_knowledge() -> None:
    assert DEFAULT_SETTINGS.fields() == {
        "ipa_accumulation": False,
        "oracle_hash_type": "keccak",
        "disable_zk": False,
        "optimized_solidity_verifier": False,
    }


def test_a_proof_is_asked_for_with_its_key() -> None:
    assert ASK_PROVE.name == "CircuitProve"
    assert ASK_PROVE.fields["circuit"]["verification_key"] == KEY
    assert ASK_PROVE.fields["witness"] == b"witness"


def test_a_witness_is_not_in_the_text_of_a_command() -> None:
    assert "witness" not in repr(ASK_PROVE)


def test_proof_and_public_inputs_are_told_apart() -> None:
    answer = ASK_PROVE.answer(
        "CircuitProveResponse", {"proof": [ONE, TWO], "public_inputs": [TWO], "vk": {}}
    )
    assert answer == Proof(proof=ONE + TWO, public_inputs=(2,))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"proof": [ONE], "public_inputs": None},
        {"proof": ONE, "public_inputs": []},
        {"proof": [ONE[1:]], "public_inputs": []},
        {"proof": ["1" * 32], "public_inputs": []},
        {"proof": [ONE], "public_inputs": [FIELD_MODULUS.to_bytes(32)]},
        {"proof": [ONE] * 5000, "public_inputs": []},
    ],
)
def test_an_answer_of_another_shape_is_a_failure(fields: dict[str, Any]) -> None:
    with pytest.raises(ProverFailedError):
        ASK_PROVE.answer("CircuitProveResponse", fields)


def test_an_answer_to_another_command_is_a_failure() -> None:
    with pytest.raises(ProverFailedError):
        ASK_VERIFY.answer("CircuitProveResponse", {"verified": True})


@pytest.mark.parametrize("verified", [True, False])
def test_a_verification_says_yes_or_no(*, verified: bool) -> None:
    assert ASK_VERIFY.answer("CircuitVerifyResponse", {"verified": verified}) is verified


@pytest.mark.parametrize("verified", [1, "true", None, b"\x01"])
def test_only_true_is_a_yes(verified: object) -> None:
    with pytest.raises(ProverFailedError):
        ASK_VERIFY.answer("CircuitVerifyResponse", {"verified": verified})


@pytest.mark.parametrize(
    "text",
    [
        "Deserialized point is not on the curve",
        "Non-canonical proof element: value >= field modulus",
        "Cannot aggregate: incoming pairing points are at infinity (probably uninitialized).",
        "Assertion failed: (num_public_inputs == static_cast<size_t>(vk->num_public_inputs))",
    ],
)
def test_an_error_over_a_bad_proof_is_a_no(text: str) -> None:
    assert ASK_VERIFY.answer("ErrorResponse", {"message": text}) is False


def test_a_prover_without_memory_is_no_answer_either() -> None:
    with pytest.raises(ProverMemoryExceededError):
        ASK_VERIFY.answer("ErrorResponse", {"message": "std::bad_alloc"})


@pytest.mark.parametrize("text", ["HTTP request failed", None])
def test_any_other_error_is_no_answer(text: str | None) -> None:
    with pytest.raises(ProverRefusedError):
        ASK_VERIFY.answer("ErrorResponse", {"message": text})


def test_an_error_while_proving_is_not_repeated() -> None:
    with pytest.raises(ProverRefusedError) as caught:
        ASK_PROVE.answer("ErrorResponse", {"message": "Assertion failed: witness 4711"})
    assert str(caught.value) == "the prover refused CircuitProve"


def test_other_answers_are_read() -> None:
    assert (
        compute_key(b"acir", DEFAULT_SETTINGS).answer("CircuitComputeVkResponse", {"bytes": KEY})
        == KEY
    )
    numbers = {"num_gates": 2969, "num_gates_dyadic": 4096, "num_acir_opcodes": 12}
    assert stats(b"acir", DEFAULT_SETTINGS).answer("CircuitInfoResponse", numbers) == CircuitStats(
        gates=2969, padded_gates=4096, opcodes=12
    )
    assert poseidon2([1]).answer("Poseidon2HashResponse", {"hash": TWO}) == 2


@pytest.mark.parametrize("fields", [{"bytes": "text"}, {"bytes": None}])
def test_a_key_is_bytes(fields: dict[str, Any]) -> None:
    with pytest.raises(ProverFailedError):
        compute_key(b"acir", DEFAULT_SETTINGS).answer("CircuitComputeVkResponse", fields)


@pytest.mark.parametrize("count", [-1, "1", None])
def test_a_count_is_not_negative(count: object) -> None:
    numbers = {"num_gates": count, "num_gates_dyadic": 1, "num_acir_opcodes": 1}
    with pytest.raises(ProverFailedError):
        stats(b"acir", DEFAULT_SETTINGS).answer("CircuitInfoResponse", numbers)


@pytest.mark.parametrize("inputs", [[], [-1], [FIELD_MODULUS]])
def test_only_field_elements_are_hashed(inputs: list[int]) -> None:
    with pytest.raises(ValueError, match="field elements"):
        poseidon2(inputs)


@pytest.mark.parametrize(
    ("key", "public_inputs", "proof", "settings"),
    [
        (KEY[:-1], INPUTS, ONE, DEFAULT_SETTINGS),
        (b"\x01" + KEY[1:], INPUTS, ONE, DEFAULT_SETTINGS),
        (KEY, INPUTS, ONE, ProofSettings(oracle_hash=OracleHash.POSEIDON2)),
        (KEY, INPUTS[1:], ONE, DEFAULT_SETTINGS),
        (KEY, (*INPUTS, 0), ONE, DEFAULT_SETTINGS),
        (KEY, (-1, *INPUTS[1:]), ONE, DEFAULT_SETTINGS),
        (KEY, (FIELD_MODULUS, *INPUTS[1:]), ONE, DEFAULT_SETTINGS),
        (KEY, INPUTS, ONE[1:], DEFAULT_SETTINGS),
        (KEY, INPUTS, FIELD_MODULUS.to_bytes(32), DEFAULT_SETTINGS),
        (KEY, INPUTS, bytes(32 * 5000), DEFAULT_SETTINGS),
    ],
)
def test_what_is_malformed_never_reaches_the_prover(
    key: bytes, public_inputs: tuple[int, ...], proof: bytes, settings: ProofSettings
) -> None:
    assert is_verifiable(KEY, public_inputs=INPUTS, proof=ONE, settings=DEFAULT_SETTINGS)
    assert not is_verifiable(key, public_inputs=public_inputs, proof=proof, settings=settings)
