"""Every numbered check of a receipt, broken by a test of its own.

A test breaks one thing, and is told exactly that. Where the worker's key signs what was broken, it
plays a worker that lies, or has a fault.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.fakes.flips import flipped
from tests.fakes.workshop import (
    CREDENTIALS,
    GTE,
    FakeProver,
    FakeSource,
    Workshop,
    circuits,
    fake_proof,
    providers,
)
from tests.unit.verification.judging import Judge, reasons

from adyton.appraisal.policy import Policy
from adyton.codec.json import JsonObject, canonical
from adyton.crypto.hashing import FIELD_MODULUS, sha256
from adyton.crypto.signing import SigningKey
from adyton.errors import MalformedError, UnavailableError
from adyton.model.isolation import Isolation
from adyton.model.public_inputs import public_input_bytes
from adyton.model.question import Endpoint, Question
from adyton.model.receipt import SIGNATURE_DOMAIN, Receipt
from adyton.model.value import DataSource
from adyton.model.verdict import LayerName, Status
from adyton.verification.bind import Expectation

CIRCUIT = "balance_threshold"
OTHER = sha256(b"another")


@pytest.fixture
def judge(workshop: Workshop, question: Question) -> Judge:
    return Judge(workshop=workshop, question=question)


def test_a_good_receipt_is_accepted(judge: Judge, receipt: Receipt) -> None:
    verdict = judge(receipt)
    assert reasons(verdict) == {}
    assert verdict.accepted
    assert verdict.answer is True
    assert [layer.status for layer in verdict.layers] == [Status.PASSED] * 4


def test_a_good_receipt_about_no_is_accepted_and_says_no(workshop: Workshop) -> None:
    question = workshop.question(predicate={"type": "gte", "threshold": 10**6})
    receipt = workshop.receipt(question, prover=FakeProver(answer=False))
    verdict = Judge(workshop=workshop, question=question)(receipt)
    assert verdict.accepted
    assert verdict.answer is False


def test_what_is_not_accepted_answers_nothing(judge: Judge, receipt: Receipt) -> None:
    verdict = judge(replace(receipt, signature=bytes(64)))
    assert verdict.claimed is True
    assert verdict.answer is None


# bind, step 1: the signature.


def test_a_signature_of_another_key_is_refused(judge: Judge, receipt: Receipt) -> None:
    signature = SigningKey().sign(SIGNATURE_DOMAIN, receipt.statement.to_bytes())
    found = reasons(judge(replace(receipt, signature=signature)))
    assert found == {"receipt.signature": {"signature-rejected"}}


def test_a_signature_for_another_use_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    signature = workshop.signing.sign("adyton/other/v1", receipt.statement.to_bytes())
    found = reasons(judge(replace(receipt, signature=signature)))
    assert found == {"receipt.signature": {"signature-rejected"}}


@pytest.mark.parametrize("size", [0, 63, 65])
def test_a_signature_of_another_size_is_refused(judge: Judge, receipt: Receipt, size: int) -> None:
    found = reasons(judge(replace(receipt, signature=bytes(size))))
    assert found.keys() == {"receipt.signature"}


def test_a_statement_that_was_changed_is_refused(judge: Judge, receipt: Receipt) -> None:
    changed = replace(receipt.statement, scale=3)
    found = reasons(judge(replace(receipt, statement=changed)))
    assert found["receipt.signature"] == {"signature-rejected"}


def test_a_statement_for_another_manifest_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    # A worker that was started again with the same key would be another worker.
    found = reasons(judge(workshop.signed(receipt, manifest=OTHER)))
    assert found == {"receipt.signature": {"manifest-mismatch"}}


# bind, step 2: the question.


def asked(workshop: Workshop, **changes: Any) -> Question:
    """Another question, of which the sealed values are the same."""
    question = workshop.question(**{"audience": "a lender", **changes})
    return replace(question, sealed=())


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"predicate": {"type": "gte", "threshold": 101}}, {"question-mismatch"}),
        ({"predicate": {"type": "lte", "threshold": 100}}, {"question-mismatch"}),
        ({"provider": "plaid-balance"}, {"question-mismatch"}),
        ({"audience": "somebody else"}, {"question-mismatch"}),
        ({"nonce": "another"}, {"question-mismatch", "nonce-mismatch"}),
    ],
)
def test_an_answer_to_another_question_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt, changes: dict[str, Any], codes: set[str]
) -> None:
    other = replace(asked(workshop, **changes), sealed=judge.question.sealed)
    found = reasons(judge(receipt, expectation=Expectation(question=other)))
    assert found == {"receipt.question": codes}


def test_an_answer_about_what_somebody_else_sealed_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    # The host can seal as well: his own account, under my question.
    same = workshop.question(audience="a lender", credentials={**CREDENTIALS, "secret": "mine"})
    found = reasons(judge(receipt, expectation=Expectation(question=same)))
    assert found == {"receipt.question": {"sealed-mismatch"}}


def test_an_answer_about_nothing_sealed_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    found = reasons(judge(workshop.signed(receipt, sealed={})))
    assert found == {"receipt.question": {"sealed-mismatch"}}


def test_another_nonce_is_refused(judge: Judge, receipt: Receipt) -> None:
    found = reasons(judge(receipt, expectation=Expectation(nonce="another")))
    assert found == {"receipt.question": {"nonce-mismatch"}}


def test_the_nonce_alone_is_enough(judge: Judge, receipt: Receipt) -> None:
    assert judge(receipt, expectation=Expectation(nonce="asked once")).accepted


def test_a_policy_that_wants_the_nonce_compared_is_not_satisfied_without_one(
    judge: Judge, receipt: Receipt
) -> None:
    verdict = judge(receipt, expectation=Expectation())
    assert reasons(verdict) == {"receipt.question": {"nonce-missing"}}
    assert verdict.layer(LayerName.RECEIPT).status is Status.NOT_EVALUATED
    assert not verdict.accepted


def test_a_policy_may_not_want_the_nonce_compared(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    policy = workshop.policy(nonce="not-required")
    assert judge(receipt, policy=policy, expectation=Expectation()).accepted


def test_another_audience_than_the_policys_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    found = reasons(judge(receipt, policy=workshop.policy(audience=["another lender"])))
    assert found == {"receipt.question": {"audience-rejected"}}
    assert judge(receipt, policy=workshop.policy(audience=["x", "a lender"])).accepted


# bind, step 3: the time.


@pytest.mark.parametrize(
    ("later", "codes"),
    [
        (600, set()),
        (601, {"too-old"}),
        (10**8, {"too-old"}),
        (-60, set()),
        (-61, {"from-the-future"}),
    ],
)
def test_a_receipt_that_is_not_of_now_is_refused(
    judge: Judge, receipt: Receipt, later: int, codes: set[str]
) -> None:
    at = judge.workshop.ports.clock() + timedelta(seconds=later)
    found = reasons(judge(receipt, at=at))
    assert found == ({"receipt.time": codes} if codes else {})


def test_a_policy_may_take_a_receipt_of_any_age_but_none_from_the_future(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    policy, now = workshop.policy(maximum_age_seconds="not-required"), workshop.ports.clock()
    assert judge(receipt, policy=policy, at=now + timedelta(days=5000)).accepted
    assert not judge(receipt, policy=policy, at=now - timedelta(days=1)).accepted


# bind, step 4: the worker.


def remade(workshop: Workshop, receipt: Receipt, **manifest: Any) -> Receipt:
    """The receipt of a worker with another manifest, and evidence over it."""
    other = replace(workshop, manifest=replace(workshop.manifest, **manifest))
    return replace(
        other.signed(receipt, manifest=sha256(other.manifest.to_bytes())),
        manifest=other.manifest,
        evidence=other.receipt().evidence,
    )


@pytest.mark.parametrize(
    ("manifest", "codes"),
    [
        ({"circuits": {CIRCUIT: OTHER}}, {"circuit-mismatch"}),
        ({"circuits": {}}, {"circuit-mismatch"}),
        ({"providers": {"plaid-balance": OTHER}}, {"provider-mismatch"}),
        ({"providers": {}}, {"provider-mismatch"}),
        ({"isolation": Isolation.POOLED}, {"isolation-rejected"}),
        ({"platform": "nitro"}, {"platform-mismatch"}),
    ],
)
def test_a_worker_whose_manifest_has_something_else_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt, manifest: dict[str, Any], codes: set[str]
) -> None:
    found = reasons(judge(remade(workshop, receipt, **manifest)))
    assert found == {"receipt.worker": codes}


def test_a_policy_may_take_pooled_processes(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    pooled = remade(workshop, receipt, isolation=Isolation.POOLED)
    assert judge(pooled, policy=workshop.policy(isolation=["request", "pooled"])).accepted


@pytest.mark.parametrize(
    ("section", "code"), [("providers", "provider-rejected"), ("circuits", "circuit-rejected")]
)
def test_a_policy_may_name_what_it_accepts(
    workshop: Workshop, judge: Judge, receipt: Receipt, section: str, code: str
) -> None:
    name, digest = {
        "providers": ("plaid-balance", providers()["plaid-balance"].digest()),
        "circuits": (CIRCUIT, circuits()[CIRCUIT].key_digest),
    }[section]
    right: JsonObject = {name: [OTHER.hex(), digest.hex()]}
    assert judge(receipt, policy=workshop.policy(**{section: right})).accepted
    wrongs: list[JsonObject] = [{name: [OTHER.hex()]}, {"another": [digest.hex()]}]
    for wrong in wrongs:
        found = reasons(judge(receipt, policy=workshop.policy(**{section: wrong})))
        assert found["receipt.worker"] == {code}


def test_a_statement_about_another_provider_than_the_questions_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    name, digest = "yodlee-balance", providers()["yodlee-balance"].digest()
    found = reasons(judge(workshop.signed(receipt, provider=name, provider_digest=digest)))
    assert found["receipt.worker"] == {"provider-mismatch"}


def custom(workshop: Workshop, **changes: Any) -> Question:
    return workshop.question(
        "custom",
        {"type": "gte", "threshold": 1},
        **{
            "provider": {"url": "https://api.example.com/data", "method": "GET"},
            "credentials": {},
            "response_extraction": {"type": "jsonPath", "pattern": "$.a"},
            **changes,
        },
    )


def test_a_provider_that_came_with_the_question_is_made_from_it_again(workshop: Workshop) -> None:
    question = custom(workshop)
    receipt = workshop.receipt(question, http=FakeSource(body=b'{"a": 5}'))
    judge = Judge(workshop=workshop, question=question)
    assert judge(receipt).accepted
    for lie in ({"provider_digest": OTHER}, {"provider": "plaid-balance"}):
        found = reasons(judge(workshop.signed(receipt, **lie)))
        assert found["receipt.worker"] == {"provider-mismatch"}


def test_a_question_whose_provider_is_none_is_refused(workshop: Workshop) -> None:
    question = custom(workshop)
    receipt = workshop.receipt(question, http=FakeSource(body=b'{"a": 5}'))
    body: JsonObject = {
        **question.request,
        "provider": {"url": "ftp://api.example.com/", "method": "GET"},
    }
    broken = Question.from_json(Endpoint.CUSTOM, body)
    judge = Judge(workshop=workshop, question=broken)
    found = reasons(judge(workshop.signed(receipt, question=broken)))
    assert found["receipt.worker"] == {"provider-mismatch"}


def test_a_policy_without_receipts_accepts_none(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    record = workshop.policy_json()
    del record["receipt"]
    found = reasons(judge(receipt, policy=Policy.from_json(record)))
    parts = ("question", "time", "worker")
    assert found == {f"receipt.{part}": {"receipts-rejected"} for part in parts}


# check, step 1: the circuit.


def with_proof(workshop: Workshop, receipt: Receipt, **changes: Any) -> Receipt:
    """The receipt with another proof, key or inputs, and the digests of those, signed."""
    other: Receipt = replace(receipt, **changes)
    return workshop.signed(
        other,
        proof=sha256(other.proof),
        public_inputs=sha256(public_input_bytes(other.public_inputs)),
        verification_key=sha256(other.verification_key),
    )


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        (lambda r: {"proof": flipped(r.proof)}, {"proof.circuit", "proof.proof"}),
        (
            lambda r: {"public_inputs": (*r.public_inputs[:-2], 7, r.public_inputs[-1])},
            {"proof.circuit", "proof.proof"},
        ),
        (
            lambda r: {"verification_key": flipped(r.verification_key)},
            {"proof.circuit", "proof.proof"},
        ),
    ],
)
def test_what_the_statement_does_not_name_is_refused(
    judge: Judge, receipt: Receipt, changes: Callable[[Receipt], dict[str, Any]], parts: set[str]
) -> None:
    found = reasons(judge(replace(receipt, **changes(receipt))))
    assert found.keys() == parts
    assert found["proof.circuit"] == {"digest-mismatch"}


def test_a_key_of_ones_own_proves_nothing(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    # Whoever makes the key makes the circuit: one that is satisfied by anything.
    key = b"k" * len(receipt.verification_key)
    own = with_proof(
        workshop, receipt, verification_key=key, proof=fake_proof(key, receipt.public_inputs)
    )
    honest = remade(workshop, own, circuits={CIRCUIT: sha256(key)})
    assert reasons(judge(honest)) == {"proof.circuit": {"circuit-rejected"}}


def test_another_circuits_key_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    key = circuits()["income"].verification_key
    other = with_proof(
        workshop, receipt, verification_key=key, proof=fake_proof(key, receipt.public_inputs)
    )
    assert reasons(judge(other))["proof.circuit"] == {"circuit-rejected"}


def test_a_circuit_that_this_verifier_does_not_know_is_refused(
    judge: Judge, receipt: Receipt
) -> None:
    known = {name: circuit for name, circuit in circuits().items() if name != CIRCUIT}
    verdict = judge(receipt, known=known)
    assert reasons(verdict) == {
        "proof.circuit": {"circuit-unknown"},
        "proof.inputs": {"circuit-unknown"},
    }


# check, step 2: the public inputs.


def with_inputs(workshop: Workshop, receipt: Receipt, inputs: tuple[int, ...]) -> Receipt:
    proof = fake_proof(receipt.verification_key, inputs)
    return with_proof(workshop, receipt, public_inputs=inputs, proof=proof)


@pytest.mark.parametrize("place", range(7))
def test_a_proof_for_something_else_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt, place: int
) -> None:
    # The proof is good, the statement names it, and the worker signed: it is of something else.
    inputs = receipt.public_inputs
    other = (*inputs[:place], inputs[place] + 1, *inputs[place + 1 :])
    found = reasons(judge(with_inputs(workshop, receipt, other)))
    assert found == {"proof.inputs": {"public-inputs-rejected"}}


@pytest.mark.parametrize(
    "bend",
    [
        lambda inputs: inputs[:-1],
        lambda inputs: (*inputs, 1),
        lambda inputs: (inputs[0] + FIELD_MODULUS, *inputs[1:]),
        lambda inputs: (*inputs[:-1], 2),
        lambda inputs: inputs[::-1],
    ],
)
def test_public_inputs_of_another_shape_are_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt, bend: Any
) -> None:
    found = reasons(judge(with_inputs(workshop, receipt, bend(receipt.public_inputs))))
    assert found.keys() == {"proof.inputs"}
    assert found["proof.inputs"] <= {"public-inputs-malformed", "public-inputs-rejected"}


def test_no_public_inputs_are_refused(workshop: Workshop, judge: Judge, receipt: Receipt) -> None:
    found = reasons(judge(with_inputs(workshop, receipt, ())))
    assert found == {"proof.inputs": {"public-inputs-malformed"}}


@pytest.mark.parametrize("said", [True, False])
def test_a_proof_of_the_opposite_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt, *, said: bool
) -> None:
    # A proof of false is as good a proof as one of true: what it says has to be looked at.
    inputs = (*receipt.public_inputs[:-1], int(not said))
    lie = replace(with_inputs(workshop, receipt, inputs))
    found = reasons(judge(workshop.signed(lie, answer=said)))
    assert found == {"proof.inputs": {"answer-mismatch"}}


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": {"currency": "USD", "lower": "10001", "upper": str(2**63 - 1)}},
        {"parameters": {"currency": "EUR", "lower": "10000", "upper": str(2**63 - 1)}},
        {"scale": 3},
    ],
)
def test_parameters_that_do_not_follow_from_the_question_are_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt, changes: dict[str, Any]
) -> None:
    found = reasons(judge(workshop.signed(receipt, **changes)))
    assert found == {"proof.inputs": {"parameters-rejected"}}


@pytest.mark.parametrize(
    "parameters",
    [{}, {"currency": "USD"}, {"currency": 7, "lower": "1", "upper": "2"}, {"lower": "x"}],
)
def test_parameters_that_cannot_be_read_are_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt, parameters: JsonObject
) -> None:
    found = reasons(judge(workshop.signed(receipt, parameters=parameters)))
    assert found == {"proof.inputs": {"malformed"}}


@pytest.mark.parametrize(
    "changes",
    [
        {"time": 1_795_176_001},
        {"source": DataSource(name="plaid", institution="ins_2")},
        {"source": DataSource(name="yodlee", institution="ins_109508")},
    ],
)
def test_a_statement_of_something_else_than_the_proof_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt, changes: dict[str, Any]
) -> None:
    found = reasons(judge(workshop.signed(receipt, **changes)))
    assert found["proof.inputs"] == {"public-inputs-rejected"}


# check, step 3: the proof.


def test_a_proof_that_does_not_hold_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    found = reasons(judge(with_proof(workshop, receipt, proof=b"\0" * len(receipt.proof))))
    assert found == {"proof.proof": {"proof-rejected"}}


def test_another_receipts_proof_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    other = workshop.receipt(workshop.question(nonce="another"))
    mixed = replace(receipt, proof=other.proof)
    assert reasons(judge(mixed)) == {
        "proof.circuit": {"digest-mismatch"},
        "proof.proof": {"proof-rejected"},
    }
    both = replace(receipt, proof=other.proof, public_inputs=other.public_inputs)
    assert reasons(judge(both)) == {
        "proof.circuit": {"digest-mismatch"},
        "proof.inputs": {"public-inputs-rejected"},
    }
    # Also where a worker signs it.
    signed = with_proof(workshop, receipt, proof=other.proof, public_inputs=other.public_inputs)
    assert reasons(judge(signed)) == {"proof.inputs": {"public-inputs-rejected"}}


def test_a_proof_that_could_not_be_checked_is_no_verdict(judge: Judge, receipt: Receipt) -> None:
    judge.proofs.refusal = UnavailableError("bb has gone")
    with pytest.raises(UnavailableError):
        judge(receipt)


def test_a_proof_that_cannot_be_read_is_refused(judge: Judge, receipt: Receipt) -> None:
    judge.proofs.refusal = MalformedError("no proof")
    assert reasons(judge(receipt)) == {"proof.proof": {"malformed"}}


# The transcript.


@pytest.mark.parametrize(
    "changes",
    [{"protocol": "TLSv1.1"}, {"protocol": "SSLv3"}, {"protocol": ""}, {"server_name": ""}],
)
def test_a_session_that_is_broken_or_with_nobody_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt, changes: dict[str, Any]
) -> None:
    transcript = replace(receipt.statement.transcript, **changes)
    found = reasons(judge(workshop.signed(receipt, transcript=transcript)))
    assert found == {"transcript.session": {"session-rejected"}}


def test_a_worker_that_trusts_an_authority_of_ones_own_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    trusting = remade(workshop, receipt, added_roots=(OTHER,))
    assert reasons(judge(trusting)) == {"transcript.roots": {"added-root-rejected"}}
    assert judge(trusting, policy=workshop.policy(added_roots=[OTHER.hex()])).accepted


# The evidence.


def test_evidence_over_another_manifest_is_refused(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    other = replace(workshop, manifest=replace(workshop.manifest, started=1)).receipt()
    found = reasons(judge(replace(receipt, evidence=other.evidence)))
    assert found == {"evidence.freshness": {"report-data-mismatch"}}


def test_a_host_with_a_key_of_its_own_is_refused(judge: Judge, receipt: Receipt) -> None:
    # It signs a statement of its own with a key of its own, and names that key in the manifest.
    key = SigningKey()
    manifest = replace(receipt.manifest, signing_key=key.public)
    statement = replace(receipt.statement, manifest=sha256(manifest.to_bytes()))
    forged = replace(
        receipt,
        manifest=manifest,
        statement=statement,
        signature=key.sign(SIGNATURE_DOMAIN, statement.to_bytes()),
    )
    found = reasons(judge(forged))
    assert found == {"evidence.freshness": {"report-data-mismatch", "public-key-mismatch"}}


@pytest.mark.parametrize("evidence", [b"", b"\0" * 100, b"\xd2\x84" + b"\0" * 2000])
def test_evidence_that_is_none_is_refused(judge: Judge, receipt: Receipt, evidence: bytes) -> None:
    found = reasons(judge(replace(receipt, evidence=evidence)))
    assert {key.partition(".")[0] for key in found} == {"evidence"}


def test_evidence_speaks_for_the_moment_of_the_answer(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    # Its certificates have run out when the receipt is looked at; they had not when it was given.
    policy, now = workshop.policy(maximum_age_seconds="not-required"), workshop.ports.clock()
    assert judge(receipt, policy=policy, at=now + timedelta(days=3000)).accepted
    # A worker cannot say that it answered before or after its evidence holds.
    for hours in (-4, 4):
        time = receipt.statement.time + 3600 * hours
        found = reasons(judge(workshop.signed(receipt, time=time), policy=policy))
        assert any(key.startswith("evidence.") for key in found)


def test_a_challenge_is_compared(workshop: Workshop, question: Question) -> None:
    receipt = workshop.receipt(question, challenge=b"mine")
    judge = Judge(workshop=workshop, question=question)

    def expecting(challenge: bytes | None) -> Expectation:
        return Expectation(question=question, challenge=challenge)

    assert judge(receipt, expectation=expecting(b"mine")).accepted
    found = reasons(judge(receipt, expectation=expecting(b"another")))
    assert found == {"evidence.freshness": {"challenge-mismatch"}}
    record = workshop.policy_json()
    record["evidence"]["challenge"] = "required"
    policy = Policy.from_json(record)
    assert judge(receipt, policy=policy, expectation=expecting(b"mine")).accepted
    found = reasons(judge(receipt, policy=policy, expectation=expecting(None)))
    assert found == {"evidence.freshness": {"challenge-missing"}}


def test_a_challenge_beside_evidence_without_one_is_refused(judge: Judge, receipt: Receipt) -> None:
    found = reasons(judge(replace(receipt, challenge=b"claimed")))
    assert found == {"evidence.freshness": {"report-data-mismatch", "evidence-nonce-mismatch"}}


# Verdicts.


def test_the_same_bytes_policy_and_instant_give_the_same_verdict(
    judge: Judge, receipt: Receipt
) -> None:
    again = Receipt.from_bytes(canonical(receipt.to_json()))
    assert judge(receipt).to_json() == judge(again).to_json()


def test_a_verdict_says_what_it_does_not_establish(judge: Judge, receipt: Receipt) -> None:
    shown = judge(receipt).to_json()
    layers = json.loads(json.dumps(shown))["layers"]
    assert [layer["name"] for layer in layers] == ["evidence", "receipt", "proof", "transcript"]
    assert all(layer["establishes"] and layer["does_not_establish"] for layer in layers)


def test_a_layer_that_fails_establishes_nothing(judge: Judge, receipt: Receipt) -> None:
    layers = judge(replace(receipt, signature=bytes(64))).to_json()["layers"]
    assert isinstance(layers, list)
    shown = {str(layer["name"]): layer["establishes"] for layer in layers}  # type: ignore[index, call-overload]
    assert shown["receipt"] == ""
    assert shown["proof"]


def test_every_layer_is_judged_so_that_a_reader_sees_all_that_is_wrong(
    workshop: Workshop, judge: Judge, receipt: Receipt
) -> None:
    broken = replace(
        receipt, signature=bytes(64), evidence=b"", proof=b"\0" * 64, challenge=b"claimed"
    )
    layers = {key.partition(".")[0] for key in reasons(judge(broken))}
    assert layers == {"evidence", "receipt", "proof"}


def test_the_question_is_the_default_one(question: Question) -> None:
    # What these tests break is what a client sends.
    assert question.predicate == GTE
