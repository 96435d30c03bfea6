from datetime import UTC, datetime
from itertools import product

import pytest

from adyton.errors import MalformedError
from adyton.model.verdict import (
    EVIDENCE_PARTS,
    LAYERS,
    Finding,
    Layer,
    LayerName,
    Part,
    Status,
    Subject,
    Verdict,
)

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WHY = (Finding(code="why", message="because"),)


def part(status: Status, name: str = "part") -> Part:
    return Part(name=name, status=status, findings=WHY)


def layer(name: LayerName, *statuses: Status) -> Layer:
    names = EVIDENCE_PARTS if name is LayerName.EVIDENCE else ("one", "two", "three")
    if name is LayerName.EVIDENCE:
        statuses = (*statuses, *[Status.PASSED] * 5)[:5]
    parts = tuple(part(status, each) for status, each in zip(statuses, names, strict=False))
    return Layer(name=name, parts=parts, establishes="this", does_not_establish="that")


def verdict(*statuses: Status, claimed: bool = True) -> Verdict:
    return Verdict(
        subject=Subject.RECEIPT,
        layers=tuple(
            layer(name, status)
            for name, status in zip(LAYERS[Subject.RECEIPT], statuses, strict=True)
        ),
        at=AT,
        claimed=claimed,
    )


PASSED, FAILED, FREE, UNSEEN = Status


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([PASSED], PASSED),
        ([PASSED, FREE], PASSED),
        ([FREE, FREE], FREE),
        ([PASSED, UNSEEN], UNSEEN),
        ([FREE, UNSEEN], UNSEEN),
        ([PASSED, UNSEEN, FAILED], FAILED),
    ],
)
def test_a_layer_is_as_good_as_its_worst_part(statuses: list[Status], expected: Status) -> None:
    assert layer(LayerName.PROOF, *statuses).status is expected


def test_a_verdict_is_accepted_where_each_layer_passed_or_is_not_required_and_one_passed() -> None:
    for statuses in product(Status, repeat=4):
        # Four of the evidence layer's five parts pass in these, whatever the first one does.
        layers = (PASSED if statuses[0] is FREE else statuses[0], *statuses[1:])
        good = all(status in {PASSED, FREE} for status in layers) and PASSED in layers
        assert verdict(*statuses).accepted is good


@pytest.mark.parametrize("claimed", [True, False])
def test_a_claim_is_an_answer_once_it_is_accepted(*, claimed: bool) -> None:
    assert verdict(PASSED, PASSED, PASSED, PASSED, claimed=claimed).answer is claimed
    assert verdict(PASSED, PASSED, FAILED, PASSED, claimed=claimed).answer is None
    assert verdict(PASSED, PASSED, UNSEEN, PASSED, claimed=claimed).answer is None


def test_reasons_are_what_speaks_against() -> None:
    assert verdict(PASSED, PASSED, PASSED, FREE).reasons == ()
    assert verdict(PASSED, UNSEEN, FAILED, FREE).reasons == WHY * 2


def test_a_part_that_did_not_pass_says_why() -> None:
    Part(name="part", status=PASSED)
    for status in (FAILED, FREE, UNSEEN):
        with pytest.raises(ValueError, match="does not say why"):
            Part(name="part", status=status)


def test_a_layer_has_parts_each_once() -> None:
    for parts in ((), (part(PASSED), part(FAILED))):
        with pytest.raises(ValueError, match="no parts, or one of them twice"):
            Layer(name=LayerName.PROOF, parts=parts, establishes="", does_not_establish="")


def test_evidence_is_judged_in_all_its_parts() -> None:
    with pytest.raises(ValueError, match="evidence layer has the parts part"):
        Layer(
            name=LayerName.EVIDENCE,
            parts=(part(PASSED),),
            establishes="",
            does_not_establish="",
        )


def test_a_verdict_leaves_no_layer_out() -> None:
    proof = layer(LayerName.PROOF, PASSED)
    for layers in ((), (proof,), (layer(LayerName.EVIDENCE), proof)):
        with pytest.raises(ValueError, match="other layers"):
            Verdict(subject=Subject.RECEIPT, layers=layers, at=AT, claimed=True)


def test_a_verdict_on_evidence_alone_has_no_answer() -> None:
    evidence = (layer(LayerName.EVIDENCE),)
    alone = Verdict(subject=Subject.EVIDENCE, layers=evidence, at=AT, claimed=None)
    assert alone.accepted
    assert alone.answer is None
    with pytest.raises(ValueError, match="claim"):
        Verdict(subject=Subject.EVIDENCE, layers=evidence, at=AT, claimed=True)


def test_a_receipts_verdict_has_a_claim() -> None:
    layers = verdict(PASSED, PASSED, PASSED, PASSED).layers
    with pytest.raises(ValueError, match="claim"):
        Verdict(subject=Subject.RECEIPT, layers=layers, at=AT, claimed=None)


def test_the_instant_has_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        Verdict(
            subject=Subject.EVIDENCE,
            layers=(layer(LayerName.EVIDENCE),),
            at=AT.replace(tzinfo=None),
            claimed=None,
        )


def test_layers_are_found_by_name() -> None:
    found = verdict(PASSED, PASSED, FAILED, PASSED)
    assert found.layer(LayerName.PROOF).status is FAILED
    alone = Verdict(
        subject=Subject.EVIDENCE, layers=(layer(LayerName.EVIDENCE),), at=AT, claimed=None
    )
    with pytest.raises(KeyError):
        alone.layer(LayerName.PROOF)


def test_json_says_the_same_and_gives_no_answer_to_what_is_refused() -> None:
    shown = verdict(PASSED, PASSED, FAILED, FREE).to_json()
    assert shown["version"] == "adyton/verdict/v1"
    assert shown["accepted"] is False
    assert shown["answer"] is None
    assert shown["at"] == "2026-11-20T12:00:00Z"
    layers = shown["layers"]
    assert isinstance(layers, list)
    assert layers[2] == {
        "name": "proof",
        "status": "failed",
        "parts": [
            {
                "name": "one",
                "status": "failed",
                "findings": [{"code": "why", "message": "because"}],
            }
        ],
        "establishes": "",
        "does_not_establish": "that",
    }
    assert verdict(PASSED, PASSED, PASSED, FREE).to_json()["answer"] is True


def test_a_finding_is_made_of_an_error() -> None:
    finding = Finding.from_error(MalformedError("it is not what it says"))
    assert finding == Finding(code="malformed", message="it is not what it says")
