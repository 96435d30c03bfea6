import pytest
from tests.integration.circuits.machinery import Machinery
from tests.integration.circuits.samples import BINDING, SALT, SAMPLES

from adyton.crypto.hashing import FIELD_MODULUS

NAMES = sorted(SAMPLES)


@pytest.mark.parametrize("answer", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_both_answers_are_provable_and_said(
    machinery: Machinery, name: str, *, answer: bool
) -> None:
    proof = machinery.prove(name, machinery.solve(name, answer=answer))

    assert machinery.verify(name, proof.proof, proof.public_inputs)
    outcome = machinery.circuits[name].check_public_inputs(
        proof.public_inputs, binding=BINDING, parameters=SAMPLES[name].parameters
    )
    assert outcome.result is answer
    assert SAMPLES[name].data(answer=answer).evaluate(BINDING) is answer


@pytest.mark.parametrize("name", NAMES)
def test_a_proof_is_of_each_of_its_public_inputs(machinery: Machinery, name: str) -> None:
    proof = machinery.prove(name, machinery.solve(name, answer=True))
    inputs = proof.public_inputs

    for place, value in enumerate(inputs):
        changed = (*inputs[:place], (value + 1) % FIELD_MODULUS, *inputs[place + 1 :])
        assert not machinery.verify(name, proof.proof, changed), place
    flipped = (*inputs[:-1], 1 - inputs[-1])
    assert not machinery.verify(name, proof.proof, flipped)


def test_a_proof_of_one_circuit_is_none_of_another(machinery: Machinery) -> None:
    # These two have equally many public inputs.
    proof = machinery.prove("employment_status", machinery.solve("employment_status", answer=True))

    assert not machinery.verify("credential_validity", proof.proof, proof.public_inputs)


@pytest.mark.parametrize("name", NAMES)
def test_proofs_of_the_same_witness_differ(machinery: Machinery, name: str) -> None:
    # Zero knowledge: equal proofs would tell that two answers were over the same data.
    values = machinery.solve(name, answer=True)

    assert machinery.prove(name, values).proof != machinery.prove(name, values).proof


@pytest.mark.parametrize("name", NAMES)
def test_the_commitment_depends_on_the_salt_and_on_each_private_value(
    machinery: Machinery, name: str
) -> None:
    circuit, program = machinery.circuits[name], machinery.programs[name]
    commitment = program.returned[0]
    seen = {machinery.solve(name, answer=True)[commitment]}

    seen.add(machinery.solve(name, answer=True, salt=SALT + 1)[commitment])
    seen.add(machinery.solve(name, answer=False)[commitment])
    assert len(seen) == 3
    assert machinery.solve(name, answer=True)[commitment] in seen
    assert circuit.public_input_count == len(program.public_inputs)
