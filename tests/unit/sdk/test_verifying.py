import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from tests.fakes.workshop import Workshop
from tests.unit.sdk.gateways import FakeVerifier

from adyton import verify
from adyton.adapters.verifier import OfflineVerifier
from adyton.appraisal.policy import MAX_POLICY_BYTES, Policy
from adyton.codec.json import canonical
from adyton.errors import MalformedError
from adyton.model.question import Question
from adyton.model.receipt import MAX_RECEIPT_BYTES, Receipt
from adyton.model.verdict import Verdict
from adyton.sdk.files import FileUnreadableError
from adyton.sdk.verifying import read_policy, read_receipt


@pytest.fixture(scope="module")
def question(workshop: Workshop) -> Question:
    return workshop.question()


@pytest.fixture(scope="module")
def receipt(workshop: Workshop, question: Question) -> Receipt:
    return workshop.receipt(question)


def judge(receipt: Any, *, policy: Any, **more: Any) -> Verdict:
    verifier = cast("OfflineVerifier", FakeVerifier())
    return verify(receipt, policy=policy, verifier=verifier, **more)


def as_mapping(value: Receipt | Policy, _folder: Path) -> Any:
    return value.to_json()


def as_bytes(value: Receipt | Policy, _folder: Path) -> Any:
    return canonical(value.to_json())


def as_path(value: Receipt | Policy, folder: Path) -> Any:
    path = folder / type(value).__name__
    path.write_bytes(canonical(value.to_json()))
    return path


def as_text(value: Receipt | Policy, folder: Path) -> Any:
    return str(as_path(value, folder))


def as_it_is(value: Receipt | Policy, _folder: Path) -> Any:
    return value


@pytest.mark.parametrize("form", [as_it_is, as_mapping, as_bytes, as_path, as_text])
def test_receipt_and_policy_are_taken_in_any_form(
    workshop: Workshop, receipt: Receipt, tmp_path: Path, form: Callable[..., Any]
) -> None:
    verdict = judge(
        form(receipt, tmp_path), policy=form(workshop.policy(), tmp_path), nonce="asked once"
    )
    assert verdict.answer is True


def test_a_policy_that_wants_the_nonce_is_told_it_or_the_question(
    workshop: Workshop, receipt: Receipt, question: Question
) -> None:
    policy = workshop.policy()
    assert judge(receipt, policy=policy, question=question).accepted
    assert not judge(receipt, policy=policy).accepted
    assert not judge(receipt, policy=policy, nonce="another").accepted
    assert not judge(receipt, policy=policy, nonce="asked once", challenge=b"sent").accepted


def test_the_instant_may_be_another_one(workshop: Workshop, receipt: Receipt) -> None:
    later = datetime(2100, 1, 1, tzinfo=UTC)
    verdict = judge(receipt, policy=workshop.policy(), nonce="asked once", at=later)
    assert {finding.code for finding in verdict.reasons} == {"too-old"}
    assert verdict.at == later


def test_an_instant_without_a_zone_is_the_callers_fault(
    workshop: Workshop, receipt: Receipt
) -> None:
    with pytest.raises(ValueError, match="zone"):
        judge(receipt, policy=workshop.policy(), at=datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_refusal_is_a_verdict_and_no_error(workshop: Workshop, receipt: Receipt) -> None:
    verdict = judge(replace(receipt, signature=bytes(64)), policy=workshop.policy(), nonce="n")
    assert verdict.answer is None
    assert verdict.claimed is True


@pytest.mark.parametrize("read", [read_receipt, read_policy])
@pytest.mark.parametrize("source", [b"", b"{}", b"[]", {}, b"\xff"])
def test_what_is_neither_is_malformed(read: Callable[[Any], object], source: Any) -> None:
    with pytest.raises(MalformedError):
        read(source)


@pytest.mark.parametrize("read", [read_receipt, read_policy])
def test_a_file_that_is_none_is_named(read: Callable[[Any], object], tmp_path: Path) -> None:
    with pytest.raises(FileUnreadableError, match="nothing"):
        read(tmp_path / "nothing")
    with pytest.raises(FileUnreadableError):
        read(tmp_path)
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps({"version": 1}))
    with pytest.raises(MalformedError, match=r"broken\.json"):
        read(broken)


@pytest.mark.parametrize(
    ("read", "limit"), [(read_receipt, MAX_RECEIPT_BYTES), (read_policy, MAX_POLICY_BYTES)]
)
def test_a_file_that_is_too_long_is_not_read(
    read: Callable[[Any], object], limit: int, tmp_path: Path
) -> None:
    long = tmp_path / "long"
    long.write_bytes(b" " * (limit + 1))
    with pytest.raises(MalformedError, match="more than"):
        read(long)
