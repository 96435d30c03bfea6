"""Whatever is done to a receipt, it is refused, and nothing else happens.

One receipt is made with the real solver and prover, about data over real TLS, and verified by the
real verifier. Then bits are flipped: of each part after it was decoded, of the file as it lies on a
disk, and of each value in the statement, also where the worker signs it again.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.workshop import Workshop
from tests.integration.flow.machinery import now, running_sandbox, running_workshop

from adyton.adapters.verifier import OfflineVerifier
from adyton.appraisal.policy import Policy
from adyton.codec.json import canonical
from adyton.crypto.hashing import sha256
from adyton.errors import AdytonError, MalformedError, RejectedError
from adyton.evidence.nitro.layout import Document
from adyton.model.public_inputs import public_input_bytes
from adyton.model.question import Question
from adyton.model.receipt import SIGNATURE_DOMAIN, Receipt
from adyton.model.statement import Statement
from adyton.model.verdict import Verdict
from adyton.verification.bind import Expectation

PARTS: Final = ("proof", "verification_key", "signature", "evidence", "challenge")


@dataclass(frozen=True, kw_only=True)
class Real:
    """A receipt, who made it, and who judges it."""

    workshop: Workshop
    question: Question
    receipt: Receipt
    other: Receipt
    policy: Policy
    verifier: OfflineVerifier
    at: datetime

    def judge(self, receipt: Receipt, *, policy: Policy | None = None) -> Verdict:
        return self.verifier.verify(
            receipt,
            policy=policy or self.policy,
            # As a third party does: told of nonce and challenge, and not of what was sealed.
            expectation=Expectation(nonce=self.question.nonce, challenge=b"a challenge"),
            at=self.at,
        )

    def is_refused(self, receipt: Receipt) -> bool:
        try:
            verdict = self.judge(receipt)
        except (MalformedError, RejectedError):
            return True
        assert verdict.accepted or (verdict.answer is None and verdict.reasons)
        return not verdict.accepted

    def is_file_refused(self, data: bytes) -> bool:
        try:
            receipt = Receipt.from_bytes(data)
        except MalformedError:
            return True
        return self.is_refused(receipt)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    folder = tmp_path_factory.mktemp("workshop")
    with (
        running_sandbox() as sandbox,
        running_workshop(sandbox, folder) as workshop,
        OfflineVerifier() as verifier,
    ):
        credentials = {"access_token": "sandbox-good", "client_id": "c", "secret": "s"}
        question = workshop.question(audience="a lender", credentials=credentials)
        no = workshop.question(
            predicate={"type": "gte", "threshold": 10**6},
            audience="a lender",
            credentials=credentials,
        )
        yield Real(
            workshop=workshop,
            question=question,
            receipt=workshop.receipt(question, challenge=b"a challenge"),
            other=workshop.receipt(no, challenge=b"a challenge"),
            # Whoever names everything notices everything.
            policy=workshop.policy(
                audience=["a lender"],
                providers={
                    name: [digest.hex()] for name, digest in workshop.manifest.providers.items()
                },
                circuits={
                    name: [digest.hex()] for name, digest in workshop.manifest.circuits.items()
                },
            ),
            verifier=verifier,
            at=now(),
        )


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << (bit % 8)
    return bytes(changed)


fast = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
bits = st.integers(0, 8 * 2**16 - 1)


def test_the_receipt_is_good_to_begin_with(real: Real) -> None:
    verdict = real.judge(real.receipt)
    assert [finding.code for finding in verdict.reasons] == []
    assert verdict.answer is True
    assert real.receipt.challenge == b"a challenge"
    assert not real.is_file_refused(canonical(real.receipt.to_json()))
    assert real.other.statement.answer is False


@settings(fast, max_examples=150)
@given(part=st.sampled_from(PARTS), bit=bits)
def test_no_flipped_bit_of_a_decoded_part_is_accepted(real: Real, part: str, bit: int) -> None:
    changed: dict[str, Any] = {part: flipped(getattr(real.receipt, part), bit)}
    assert real.is_refused(replace(real.receipt, **changed))


@settings(fast, max_examples=200)
@given(bit=bits)
def test_no_flipped_bit_of_a_proof_is_accepted_though_the_worker_signs_it(
    real: Real, bit: int
) -> None:
    # Only the proof itself speaks against it: everything else agrees.

    proof = flipped(real.receipt.proof, bit)
    changed = replace(real.receipt, proof=proof)
    verdict_on = real.workshop.signed(changed, proof=sha256(proof))
    assert real.is_refused(verdict_on)


@settings(fast, max_examples=100)
@given(bit=bits)
def test_no_flipped_bit_of_a_key_is_accepted_though_the_worker_signs_it(
    real: Real, bit: int
) -> None:

    key = flipped(real.receipt.verification_key, bit)
    changed = replace(real.receipt, verification_key=key)
    assert real.is_refused(real.workshop.signed(changed, verification_key=sha256(key)))


@settings(fast, max_examples=100)
@given(place=st.integers(0, 8), bit=st.integers(0, 255))
def test_no_flipped_bit_of_a_public_input_is_accepted(real: Real, place: int, bit: int) -> None:

    inputs = list(real.receipt.public_inputs)
    inputs[place] ^= 1 << bit
    changed = replace(real.receipt, public_inputs=tuple(inputs))
    assert real.is_refused(changed)
    # Nor where the worker signs it: the proof is of other inputs.
    digest = sha256(public_input_bytes(inputs))
    assert real.is_refused(real.workshop.signed(changed, public_inputs=digest))


def test_every_bit_of_the_signature_counts(real: Real) -> None:
    for bit in range(8 * len(real.receipt.signature)):
        signature = flipped(real.receipt.signature, bit)
        assert real.is_refused(replace(real.receipt, signature=signature)), bit


def test_every_byte_that_the_evidence_signs_counts(real: Real) -> None:
    evidence = real.receipt.evidence
    payload = Document.from_bytes(evidence).signed_bytes
    # The payload stands in the document as it was signed: one bit of each byte of it.
    tail = payload[-2000:]
    start = evidence.index(tail)
    for place in range(start, start + len(tail), 7):
        changed = flipped(evidence, 8 * place + place % 8)
        assert real.is_refused(replace(real.receipt, evidence=changed)), place


@settings(fast, max_examples=400)
@given(bit=st.integers(0))
def test_no_flipped_bit_of_the_file_is_accepted(real: Real, bit: int) -> None:
    data = canonical(real.receipt.to_json())
    changed = flipped(data, bit % (8 * len(data)))
    assert real.is_file_refused(changed)


@settings(fast, max_examples=200)
@given(bit=st.integers(0))
def test_no_flipped_bit_outside_of_the_long_parts_is_accepted(real: Real, bit: int) -> None:
    # Proof, key and evidence are most of a file: here the rest of it gets its share.
    record = real.receipt.to_json()
    short = canonical(record["receipt"])
    changed = flipped(short, bit % (8 * len(short)))
    whole = canonical(record)
    start = whole.index(short)
    assert real.is_file_refused(whole[:start] + changed + whole[start + len(short) :])


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    match value:
        case dict():
            for key, item in value.items():
                yield from leaves(item, (*path, key))
        case list():
            for index, item in enumerate(value):
                yield from leaves(item, (*path, index))
        case _:
            yield path


def changed_at(record: Any, path: tuple[Any, ...], change: Any) -> Any:
    copy = json.loads(json.dumps(record))
    target = copy
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = change(target[path[-1]])
    return copy


def one_step(value: Any) -> Any:
    """Return a neighbour of a value: the least that can be changed of it."""
    match value:
        case bool():
            return not value
        case int():
            return value ^ 1
        case str() if value:
            return value[:-1] + chr(ord(value[-1]) ^ 1)
        case _:
            return "x"


def test_no_value_in_a_file_can_be_another(real: Real) -> None:
    record = real.receipt.to_json()
    for path in leaves(record):
        changed = changed_at(record, path, one_step)
        assert real.is_file_refused(json.dumps(changed).encode()), path


def test_no_value_in_a_file_can_be_missing_or_doubled(real: Real) -> None:
    record = real.receipt.to_json()
    whole = json.dumps(record)
    for path in leaves(record):
        copy = json.loads(whole)
        target = copy
        for step in path[:-1]:
            target = target[step]
        del target[path[-1]]
        assert real.is_file_refused(json.dumps(copy).encode()), path
    for key in ("proof", "receipt"):
        doubled = whole[:-1] + f', "{key}": {json.dumps(record[key])}}}'
        assert real.is_file_refused(doubled.encode())


@settings(fast, max_examples=300)
@given(
    data=st.data(),
    value=st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.text(max_size=8)
        | st.floats(allow_nan=False),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        ),
        max_leaves=6,
    ),
)
def test_any_value_anywhere_is_refused_and_nothing_else(
    real: Real, data: st.DataObject, value: Any
) -> None:
    record = real.receipt.to_json()
    path = data.draw(st.sampled_from(sorted(leaves(record), key=str)))
    # Also higher up: a whole part can be something else.
    path = path[: data.draw(st.integers(1, len(path)))]
    changed = changed_at(record, path, lambda _old: value)
    if changed == record:
        return
    assert real.is_file_refused(json.dumps(changed).encode())


@settings(fast, max_examples=300)
@given(data=st.data(), bit=st.integers(0, 63))
def test_no_value_of_a_statement_can_be_another_though_the_worker_signs_it(
    real: Real, data: st.DataObject, bit: int
) -> None:
    """A worker that signs anything still can't change what proof and evidence say."""

    record = real.receipt.statement.to_json()
    path = data.draw(st.sampled_from(sorted(leaves(record), key=str)))

    def change(value: Any) -> Any:
        match value:
            case bool():
                return not value
            case int():
                return value ^ (1 << (bit % 32))
            case str() if value:
                place = bit % len(value)
                return value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]
            case _:
                return "x"

    try:
        statement = Statement.from_json(changed_at(record, path, change))
    except MalformedError:
        return
    signature = real.workshop.signing.sign(SIGNATURE_DOMAIN, statement.to_bytes())
    try:
        verdict = real.judge(replace(real.receipt, statement=statement, signature=signature))
    except AdytonError:
        return
    # What only the worker vouches for is the worker's word, which is what the evidence is for.
    assert not verdict.accepted or path[0] in {"transcript", "sealed"}, path


@pytest.mark.parametrize("said", [True, False])
def test_a_proof_of_the_opposite_is_refused(real: Real, *, said: bool) -> None:
    honest = real.receipt if not said else real.other
    assert honest.statement.answer is not said
    lie = real.workshop.signed(honest, answer=said)
    codes = {finding.code for finding in real.judge(lie).reasons}
    assert "answer-mismatch" in codes
    # In the public inputs as well: then the proof does not hold.

    inputs = (*honest.public_inputs[:-1], int(said))
    deeper = real.workshop.signed(
        replace(honest, public_inputs=inputs),
        answer=said,
        public_inputs=sha256(public_input_bytes(inputs)),
    )
    codes = {finding.code for finding in real.judge(deeper).reasons}
    assert "proof-rejected" in codes


def test_parts_of_two_receipts_do_not_mix(real: Real) -> None:
    fields = ("statement", "signature", "proof", "public_inputs")
    for count in range(1, 2 ** len(fields) - 1):
        taken = [name for index, name in enumerate(fields) if count >> index & 1]
        mixed = replace(real.receipt, **{name: getattr(real.other, name) for name in taken})
        assert real.is_refused(mixed), taken


@settings(fast, max_examples=200)
@given(st.binary(max_size=400))
def test_any_bytes_are_malformed_or_refused(real: Real, data: bytes) -> None:
    assert real.is_file_refused(data)


@settings(fast, max_examples=100)
@given(data=st.data())
def test_a_file_that_is_cut_anywhere_is_malformed(real: Real, data: st.DataObject) -> None:
    whole = canonical(real.receipt.to_json())
    size = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(MalformedError):
        Receipt.from_bytes(whole[:size])
