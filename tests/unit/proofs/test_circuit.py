import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.proofs.tables import BINDING, TIME, asked, decimals, predicate, table

from adyton.codec.json import Json, JsonObject
from adyton.crypto.hashing import FIELD_MODULUS, sha256
from adyton.errors import MalformedError, RejectedError
from adyton.model.value import FieldType
from adyton.proofs.abi import AbiMalformedError
from adyton.proofs.balance_threshold import BalanceParameters
from adyton.proofs.circuit import (
    SALT_BYTES,
    Asked,
    Circuit,
    Facts,
    KeyMalformedError,
    ParametersRejectedError,
    PublicInputsMalformedError,
    PublicInputsRejectedError,
    salt_from_bytes,
)
from adyton.proofs.predicates import Bounds
from adyton.proofs.registry import (
    CIRCUITS,
    CircuitUnknownError,
    circuit_from_files,
)

CIRCUITS_FOLDER = Path(__file__).parents[3] / "circuits"
ARTIFACT = (CIRCUITS_FOLDER / "balance_threshold/artifact.json").read_bytes()
KEY = (CIRCUITS_FOLDER / "balance_threshold/verification_key").read_bytes()
CIRCUIT = circuit_from_files("balance_threshold", artifact=ARTIFACT, verification_key=KEY)
QUESTION = asked(predicate("range", min=-1, max=10_000))
PARAMETERS = BalanceParameters(currency="USD", bounds=Bounds(lower=-100, upper=1_000_000))
COMMITMENT = 77


def load(name: str) -> Circuit:
    folder = CIRCUITS_FOLDER / name
    return circuit_from_files(
        name,
        artifact=(folder / "artifact.json").read_bytes(),
        verification_key=(folder / "verification_key").read_bytes(),
    )


def public_inputs() -> list[int]:
    return [*CIRCUIT.public_inputs(BINDING, PARAMETERS), COMMITMENT, 1]


def test_every_circuit_is_read_from_its_files() -> None:
    for name in CIRCUITS:
        circuit = load(name)
        assert circuit.name == name
        assert circuit.bytecode.startswith(b"\x1f\x8b")
        assert circuit.abi.public_labels()[:4] == (
            "binding.nonce",
            "binding.data_source",
            "binding.provider",
            "binding.time",
        )


def test_files_of_a_circuit_that_is_not_ours_are_refused() -> None:
    with pytest.raises(CircuitUnknownError):
        circuit_from_files("poker", artifact=ARTIFACT, verification_key=KEY)


def test_a_circuit_is_named_by_the_digest_of_its_key() -> None:
    assert CIRCUIT.key_digest == sha256(KEY)
    assert CIRCUIT.public_input_count == 9


def without(name: str) -> Callable[[Any], None]:
    def change(artifact: Any) -> None:
        parameters = artifact["abi"]["parameters"]
        artifact["abi"]["parameters"] = [item for item in parameters if item["name"] != name]

    return change


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda artifact: artifact.pop("abi"), AbiMalformedError),
        (lambda artifact: artifact.pop("bytecode"), MalformedError),
        (lambda artifact: artifact.update(bytecode="AAA"), MalformedError),
        (without("binding"), AbiMalformedError),
        (without("salt"), AbiMalformedError),
        (without("currency"), KeyMalformedError),
    ],
)
def test_another_artifact_is_malformed(
    change: Callable[[Any], None], error: type[MalformedError]
) -> None:
    artifact = json.loads(ARTIFACT)
    change(artifact)

    with pytest.raises(error):
        circuit_from_files(
            "balance_threshold", artifact=json.dumps(artifact).encode(), verification_key=KEY
        )


@pytest.mark.parametrize("key", [b"", KEY[:-1], KEY + b"\0", KEY[:63] + b"\x12" + KEY[64:]])
def test_another_key_is_malformed(key: bytes) -> None:
    with pytest.raises(KeyMalformedError):
        circuit_from_files("balance_threshold", artifact=ARTIFACT, verification_key=key)


def test_public_inputs_have_the_documented_order() -> None:
    assert public_inputs() == [
        BINDING.nonce,
        BINDING.data_source,
        BINDING.provider,
        TIME,
        PARAMETERS.values()["currency"],
        # A negative bound is its two's complement of 64 bits.
        2**64 - 100,
        1_000_000,
        COMMITMENT,
        1,
    ]


def test_public_inputs_are_read_back() -> None:
    found = CIRCUIT.read_public_inputs(public_inputs())

    assert found.binding == BINDING
    assert found.parameters == tuple(public_inputs()[4:7])
    assert found.commitment == COMMITMENT
    assert found.result
    outcome = CIRCUIT.check_public_inputs(
        [*public_inputs()[:-1], 0], binding=BINDING, parameters=PARAMETERS
    )
    assert outcome.commitment == COMMITMENT
    assert not outcome.result


@pytest.mark.parametrize(
    "broken",
    [
        [],
        public_inputs()[:-1],
        [*public_inputs(), 1],
        [*public_inputs()[:-1], 2],
        [*public_inputs()[:-1], FIELD_MODULUS + 1],
        [FIELD_MODULUS, *public_inputs()[1:]],
        [-1, *public_inputs()[1:]],
        [*public_inputs()[:3], 2**64, *public_inputs()[4:]],
    ],
)
def test_other_public_inputs_are_malformed(broken: list[int]) -> None:
    with pytest.raises(PublicInputsMalformedError):
        CIRCUIT.read_public_inputs(broken)


@pytest.mark.parametrize(
    ("place", "label"),
    [
        (0, "binding.nonce"),
        (1, "binding.data_source"),
        (2, "binding.provider"),
        (3, "binding.time"),
        (4, "currency"),
        (5, "lower"),
        (6, "upper"),
    ],
)
def test_each_public_input_is_compared_with_the_statement(place: int, label: str) -> None:
    changed = public_inputs()
    changed[place] += 1

    with pytest.raises(PublicInputsRejectedError) as caught:
        CIRCUIT.check_public_inputs(changed, binding=BINDING, parameters=PARAMETERS)
    assert caught.value.label == label


@pytest.mark.parametrize(
    ("name", "question", "facts"),
    [
        ("balance_threshold", predicate("gte", threshold="0.30"), {}),
        ("income", predicate("annual_gte", threshold=50_000), {"months": 12}),
        ("employment_status", predicate("tenure_gte", value=365), {}),
        ("credential_validity", predicate("has_degree", degreeLevel="masters"), {}),
        ("credit_score", predicate("score_gte", threshold=700), {}),
        ("transaction_pattern", predicate("no_gambling", lookbackDays=90), {}),
        ("account_ownership", predicate("owns", name_hash="0x" + "01" * 32), {}),
        ("generic_predicate", predicate("exists"), {"type": FieldType.BOOLEAN}),
    ],
)
def test_a_verifier_comes_to_the_same_public_inputs(
    name: str, question: JsonObject, facts: dict[str, Any]
) -> None:
    circuit = load(name)
    made = circuit.parameters.from_predicate(question, Facts(scale=2, time=TIME, **facts))

    read = circuit.check_parameters(asked(question), made.to_json(), scale=2)

    assert read == made
    assert circuit.public_inputs(BINDING, read) == circuit.public_inputs(BINDING, made)


def test_parameters_that_follow_from_the_question_are_returned() -> None:
    assert CIRCUIT.check_parameters(QUESTION, PARAMETERS.to_json(), scale=2) == PARAMETERS


@pytest.mark.parametrize(
    ("question", "stated", "scale"),
    [
        (QUESTION, PARAMETERS, 1),
        (QUESTION, replace(PARAMETERS, currency="EUR"), 2),
        (QUESTION, replace(PARAMETERS, bounds=Bounds(lower=-100, upper=1_000_001)), 2),
        (asked(predicate("range", min=-1, max=10_001)), PARAMETERS, 2),
        (asked(predicate("lte", threshold=10_000)), PARAMETERS, 2),
    ],
)
def test_parameters_of_another_question_are_rejected(
    question: Asked, stated: BalanceParameters, scale: int
) -> None:
    with pytest.raises(ParametersRejectedError):
        CIRCUIT.check_parameters(question, stated.to_json(), scale=scale)


def test_the_solver_starts_from_every_parameter() -> None:
    private = PARAMETERS.private_inputs(table(balance=decimals(-7)), asked())
    inputs = CIRCUIT.witness_inputs(BINDING, PARAMETERS, private, salt=5)

    assert sorted(inputs) == list(range(41))
    assert [inputs[index] for index in range(7)] == public_inputs()[:7]
    assert inputs[7] == 5
    assert inputs[8] == 1
    assert inputs[9] == 2**64 - 7


def test_a_salt_is_a_field_element_of_enough_bytes() -> None:
    assert salt_from_bytes(b"\xff" * SALT_BYTES) == (2**512 - 1) % FIELD_MODULUS
    for size in (0, 32, SALT_BYTES + 1):
        with pytest.raises(ValueError):
            salt_from_bytes(bytes(size))


def test_a_circuit_shows_neither_code_nor_key() -> None:
    assert len(repr(replace(CIRCUIT, abi=type(CIRCUIT.abi)(parameters=())))) < 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        "type",
        "threshold",
        "min",
        "max",
        "currency",
        "value",
        "degreeLevel",
        "categories",
        "lookbackDays",
        "minimum",
        "periods",
        "name_hash",
        "expected",
        "set",
        "field",
        "lower",
        "upper",
        "months",
        "mode",
        "first_day",
        "last_day",
        "minimum_credit",
        "required_periods",
    ]
)
WORDS = st.sampled_from(
    [
        "gte",
        "range",
        "tenure_gte",
        "has_degree",
        "none_of",
        "regular_income",
        "owns",
        "eq",
        "membership",
        "exists",
        "USD",
        "decimal",
        "string",
        "within",
        "2026-01-01",
        "0.30",
        "7",
    ]
)
LOADED = {name: load(name) for name in sorted(CIRCUITS)}
OBJECTS = st.dictionaries(KEYS, WORDS | st.integers(0, 100) | JSON, max_size=7)


@pytest.mark.parametrize("name", sorted(LOADED))
@given(question=OBJECTS, stated=OBJECTS, time=st.integers(0, 2**53), scale=st.integers(0, 18))
def test_any_statement_is_checked_or_refused(
    name: str, question: JsonObject, stated: JsonObject, time: int, scale: int
) -> None:
    """Both come from outside: a verifier gets an error of ours, or parameters that it can use."""
    circuit = LOADED[name]
    binding = replace(BINDING, time=time)
    try:
        parameters = circuit.check_parameters(
            Asked(predicate=question, time=time), stated, scale=scale
        )
    except (MalformedError, RejectedError):
        return
    assert len(circuit.public_inputs(binding, parameters)) == circuit.public_input_count - 2


def test_parameters_are_malformed_before_they_are_compared() -> None:
    stated: dict[str, Json] = {**PARAMETERS.to_json(), "lower": -100}

    with pytest.raises(MalformedError):
        CIRCUIT.check_parameters(QUESTION, stated, scale=2)
