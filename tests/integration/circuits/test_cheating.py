"""What a prover would have to forge. None of it is provable, with the solver or around it."""

import random

import pytest
from tests.integration.circuits.machinery import Machinery
from tests.integration.circuits.samples import SAMPLES, TODAY, inputs

from adyton.adapters.acvm import WitnessUnsatisfiedError
from adyton.adapters.barretenberg import ProverRefusedError
from adyton.crypto.hashing import FIELD_MODULUS
from adyton.proofs.circuit import Circuit

NAMES = sorted(SAMPLES)
BINDING_INPUTS = 4

# Inputs that no circuit may take, set in the good sample of a yes.
IMPOSSIBLE = [
    ("balance_threshold", "balances[0]", 2**64),
    ("balance_threshold", "balances[0]", FIELD_MODULUS - 1),
    ("balance_threshold", "balances[3]", 1_000_000),
    ("balance_threshold", "currencies[15]", 1),
    ("balance_threshold", "count", 2),
    ("balance_threshold", "count", 17),
    ("balance_threshold", "count", 256),
    ("balance_threshold", "lower", 2**64),
    ("balance_threshold", "binding.time", 2**64),
    ("income", "incomes[0]", 2**64),
    ("income", "incomes[3]", 1),
    ("income", "months", 0),
    ("income", "months", 2),
    ("income", "months", 13),
    ("employment_status", "count", 1),
    ("employment_status", "count", 17),
    ("employment_status", "positions[0].start_day", 2**32),
    ("employment_status", "positions[0].has_end", 0),
    ("employment_status", "positions[0].has_end", 2),
    ("employment_status", "positions[2].start_day", 1),
    ("employment_status", "positions[2].has_end", 1),
    ("employment_status", "positions[2].end_day", 1),
    ("employment_status", "positions[2].employer", 1),
    ("credential_validity", "count", 9),
    ("credential_validity", "credentials[0].has_expiry", 0),
    ("credential_validity", "credentials[0].is_issued", 0),
    ("credential_validity", "credentials[1].level", 256),
    ("credential_validity", "credentials[1].expiry_day", 1),
    ("credential_validity", "credentials[2].level", 1),
    ("credential_validity", "credentials[2].is_issued", 1),
    ("credential_validity", "credentials[2].has_expiry", 1),
    ("credential_validity", "credentials[2].subject", 1),
    ("credit_score", "score", 2**16),
    ("credit_score", "lower", 2**16),
    ("transaction_pattern", "transactions[0].credit", 2**64),
    ("transaction_pattern", "transactions[0].day", 30),
    ("transaction_pattern", "transactions[0].category", 65),
    ("transaction_pattern", "transactions[0].category", 256),
    ("transaction_pattern", "transactions[0].period", 3),
    ("transaction_pattern", "transactions[0].period", 25),
    ("transaction_pattern", "first_day", TODAY + 1),
    ("transaction_pattern", "first_day", TODAY - 750),
    ("transaction_pattern", "minimum_credit", 0),
    ("transaction_pattern", "required_periods", 26),
    ("generic_predicate", "kind", 0),
    ("generic_predicate", "kind", 5),
    ("generic_predicate", "mode", 3),
    ("generic_predicate", "number", 1),
    ("generic_predicate", "present", 0),
    ("generic_predicate", "present", 2),
]


def index_of(circuit: Circuit, label: str) -> int:
    labels = [
        found
        for parameter in circuit.abi.parameters
        for found in parameter.type.labels(parameter.name)
    ]
    return labels.index(label)


@pytest.mark.parametrize(("name", "label", "value"), IMPOSSIBLE)
def test_an_impossible_input_has_no_witness(
    machinery: Machinery, name: str, label: str, value: int
) -> None:
    circuit = machinery.circuits[name]
    found = inputs(circuit, SAMPLES[name], answer=True)
    found[index_of(circuit, label)] = value

    with pytest.raises(WitnessUnsatisfiedError):
        machinery.acvm.execute(circuit.bytecode, found)


@pytest.mark.parametrize(("name", "label", "value"), IMPOSSIBLE)
def test_an_impossible_input_in_a_good_witness_is_not_provable(
    machinery: Machinery, name: str, label: str, value: int
) -> None:
    values = machinery.solve(name, answer=True)
    values[index_of(machinery.circuits[name], label)] = value

    assert not machinery.is_provable(name, values)


def test_asking_for_neither_name_nor_number_has_no_witness(machinery: Machinery) -> None:
    circuit = machinery.circuits["account_ownership"]
    found = inputs(circuit, SAMPLES["account_ownership"], answer=True)
    found[index_of(circuit, "expected_name")] = 0
    found[index_of(circuit, "expected_number")] = 0

    with pytest.raises(WitnessUnsatisfiedError):
        machinery.acvm.execute(circuit.bytecode, found)


@pytest.mark.parametrize("answer", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_the_other_answer_is_not_provable(machinery: Machinery, name: str, *, answer: bool) -> None:
    values = machinery.solve(name, answer=answer)
    result = machinery.programs[name].returned[1]
    assert values[result] == int(answer)

    values[result] = 1 - values[result]

    assert not machinery.is_provable(name, values)


@pytest.mark.parametrize("name", NAMES)
def test_another_commitment_is_not_provable(machinery: Machinery, name: str) -> None:
    values = machinery.solve(name, answer=True)
    values[machinery.programs[name].returned[0]] += 1

    assert not machinery.is_provable(name, values)


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_to_another_question_is_not_provable(machinery: Machinery, name: str) -> None:
    good = machinery.solve(name, answer=True)
    labels = machinery.circuits[name].abi.public_labels()

    for index, label in list(enumerate(labels))[BINDING_INPUTS:]:
        # Of a set, the first and the last element stand for all.
        if label.endswith("]") and not label.endswith(("[0]", "[15]")):
            continue
        bent = {**good, index: (good[index] + 1) % FIELD_MODULUS}
        assert not machinery.is_provable(name, bent), label


@pytest.mark.parametrize("name", NAMES)
def test_a_bent_value_anywhere_never_changes_what_is_proven(
    machinery: Machinery, name: str
) -> None:
    """Bend values one by one: no proof, or a proof of exactly the same.

    The same, where a value is a mere hint, or one that the prover computes again by itself. Nonce,
    source and provider may be any: a proof with others is one of another answer.
    """
    good = machinery.solve(name, answer=True)
    honest = machinery.prove(name, good).public_inputs
    inner = sorted(good.keys() - set(range(BINDING_INPUTS)))
    # The same ones in each run: a red test must stay red until its reason is gone.
    chosen = random.Random(name).sample(inner, k=min(len(inner), sample_size(name)))

    for index in chosen:
        bent = {**good, index: (good[index] + 1) % FIELD_MODULUS}
        try:
            proof = machinery.prove(name, bent)
        except ProverRefusedError:
            continue
        if machinery.verify(name, proof.proof, proof.public_inputs):
            assert proof.public_inputs == honest, index


def sample_size(name: str) -> int:
    return 5 if name == "transaction_pattern" else 15
