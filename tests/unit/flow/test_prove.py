import asyncio
from hashlib import sha256
from typing import Any

import pytest
from tests.fakes.workshop import (
    CREDENTIALS,
    FakeProver,
    FakeSource,
    Workshop,
    circuits,
    counting,
    providers,
)

from adyton.codec.json import canonical
from adyton.crypto.binding import report_data
from adyton.crypto.hashing import FIELD_MODULUS
from adyton.crypto.signing import check_signature
from adyton.errors import AdytonError, UnavailableError
from adyton.flow.pipeline import certify
from adyton.flow.prove import ProofDisagreesError
from adyton.model.public_inputs import public_input_bytes
from adyton.model.receipt import SIGNATURE_DOMAIN, Receipt
from adyton.proofs.circuit import PublicInputsMalformedError, PublicInputsRejectedError

CIRCUIT = "balance_threshold"
LABELS = 7


def test_a_statement_says_what_was_asked_found_and_proven(workshop: Workshop) -> None:
    question = workshop.question(audience="a lender")
    proven = workshop.derive(question)
    statement = proven.statement
    assert statement.question.bound == question.bound
    assert statement.answer is True
    assert (statement.provider, statement.provider_digest) == (
        "plaid-balance",
        providers()["plaid-balance"].digest(),
    )
    assert (statement.circuit, statement.verification_key) == (
        CIRCUIT,
        circuits()[CIRCUIT].key_digest,
    )
    assert statement.proof == sha256(proven.proof).digest()
    assert statement.public_inputs == sha256(public_input_bytes(proven.public_inputs)).digest()
    assert statement.manifest == sha256(workshop.manifest.to_bytes()).digest()
    assert statement.time == int(workshop.ports.clock().timestamp())


@pytest.mark.parametrize("place", range(LABELS))
def test_step_1_a_proof_of_something_else_is_no_proof(workshop: Workshop, place: int) -> None:
    def bend(inputs: tuple[int, ...]) -> tuple[int, ...]:
        return (*inputs[:place], inputs[place] + 1, *inputs[place + 1 :])

    with pytest.raises(PublicInputsRejectedError):
        workshop.derive(workshop.question(), prover=FakeProver(bend=bend))


@pytest.mark.parametrize(
    "bend",
    [
        lambda inputs: inputs[:-1],
        lambda inputs: (*inputs, 1),
        lambda inputs: (*inputs[:-1], 2),
        lambda inputs: (inputs[0] + FIELD_MODULUS, *inputs[1:]),
        lambda _inputs: (),
    ],
)
def test_step_1_public_inputs_of_another_shape_are_no_proof(workshop: Workshop, bend: Any) -> None:
    with pytest.raises(PublicInputsMalformedError):
        workshop.derive(workshop.question(), prover=FakeProver(bend=bend))


@pytest.mark.parametrize("threshold", [100, 10**6])
def test_step_2_a_circuit_that_comes_to_another_answer_is_shown_to_nobody(
    workshop: Workshop, threshold: int
) -> None:
    question = workshop.question(predicate={"type": "gte", "threshold": threshold})
    wrong = threshold > 12_345
    with pytest.raises(ProofDisagreesError):
        workshop.derive(question, prover=FakeProver(answer=wrong))


def test_each_proof_has_a_salt_of_its_own(workshop: Workshop) -> None:
    prover, randomness = FakeProver(), counting()
    for _ in range(2):
        workshop.derive(workshop.question(), prover=prover, randomness=randomness)
    one, two = (set(inputs.values()) for inputs in prover.inputs)
    assert len(one ^ two) == 2


def test_nothing_private_leaves_the_cell(workshop: Workshop) -> None:
    planted, balance = "PLANTED", 777_123.45
    body = (
        b'{"accounts": [{"type": "depository", "name": "PLANTED", "balances":'
        b' {"current": 777123.45, "iso_currency_code": "USD"}}],'
        b' "item": {"institution_id": "ins_1"}}'
    )
    question = workshop.question(credentials={**CREDENTIALS, "access_token": planted})
    proven = workshop.derive(question, http=FakeSource(body=body))
    seen = canonical(proven.statement.to_json()) + proven.proof + repr(proven).encode()
    seen += public_input_bytes(proven.public_inputs)
    minor = int(balance * 100)
    assert not [
        part
        for part in (planted.encode(), b"777123", str(minor).encode(), minor.to_bytes(32, "big"))
        if part in seen
    ]


class SilentPlatform:
    async def evidence(
        self, report_data: bytes, challenge: bytes | None, public_key: bytes
    ) -> bytes:
        raise UnavailableError("no hardware answers")


def certified(workshop: Workshop, platform: Any, *, challenge: bytes = b"") -> Receipt:
    return asyncio.run(
        certify(
            workshop.derive(workshop.question()),
            manifest=workshop.manifest,
            challenge=challenge,
            platform=platform,
            signer=workshop.signing,
        )
    )


def test_without_evidence_there_is_no_receipt(workshop: Workshop) -> None:
    with pytest.raises(AdytonError, match="no hardware"):
        certified(workshop, SilentPlatform())


@pytest.mark.parametrize("challenge", [b"", b"asked"])
def test_the_platform_vouches_for_the_manifest_and_the_challenge(
    workshop: Workshop, challenge: bytes
) -> None:
    asked = []

    class Platform:
        async def evidence(
            self, report_data: bytes, challenge: bytes | None, public_key: bytes
        ) -> bytes:
            asked.append((report_data, challenge, public_key))
            return b"evidence"

    receipt = certified(workshop, Platform(), challenge=challenge)
    expected = report_data(workshop.manifest.to_bytes(), challenge)
    assert asked == [(expected, challenge or None, workshop.manifest.signing_key)]
    assert (receipt.evidence, receipt.challenge) == (b"evidence", challenge)


def test_a_receipt_is_signed_with_the_manifests_key(workshop: Workshop) -> None:
    receipt = workshop.receipt()
    check_signature(
        workshop.manifest.signing_key,
        SIGNATURE_DOMAIN,
        receipt.statement.to_bytes(),
        receipt.signature,
    )


def test_a_receipt_reads_back_as_it_was_written(workshop: Workshop) -> None:
    receipt = workshop.receipt(challenge=b"asked")
    again = Receipt.from_bytes(canonical(receipt.to_json()))
    assert again.to_json() == receipt.to_json()
    assert again.statement.to_bytes() == receipt.statement.to_bytes()
