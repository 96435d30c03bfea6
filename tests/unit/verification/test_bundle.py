import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from tests.fakes.nitro import NOW
from tests.unit.verification.test_evidence import CASES, POLICY, Case, codes, name_of

from adyton.appraisal.freshness import Expected
from adyton.errors import MalformedError
from adyton.verification.bundle import Bundle


def bundle_of(case: Case) -> Bundle:
    return Bundle(
        evidence=case.evidence,
        collateral=case.collateral,
        policy=replace(POLICY, named_roots=case.roots),
        expected=Expected(),
        at=NOW,
    )


BUNDLE = bundle_of(CASES[3])


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_bundle_that_was_written_gives_the_same_verdict_again(case: Case) -> None:
    bundle = bundle_of(case)
    again = Bundle.from_bytes(bundle.to_bytes())
    assert again == bundle
    assert again.verify() == bundle.verify()
    assert again.verify()[0].accepted


def test_what_evidence_had_to_be_over_is_part_of_a_bundle() -> None:
    expected = Expected(
        report_data=b"r", nonce=b"n", public_key=b"k", manifest=b"m", challenge=b"c", asked=b""
    )
    bundle = replace(BUNDLE, expected=expected)
    again = Bundle.from_bytes(bundle.to_bytes())
    assert again.expected == expected
    assert "report-data-mismatch" in codes(again.verify()[0])["freshness"]


def test_the_last_instant_of_any_zone_is_kept_as_it_is() -> None:
    last = datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))
    bundle = replace(BUNDLE, at=last)
    assert Bundle.from_bytes(bundle.to_bytes()).at == last


def test_the_instant_is_part_of_a_bundle() -> None:
    later = replace(BUNDLE, at=NOW + timedelta(days=21))
    assert codes(Bundle.from_bytes(later.to_bytes()).verify()[0]) == {
        "tcb": ["collateral-not-valid-at-this-time"]
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", "adyton/bundle/v2"),
        ("evidence", "!"),
        ("evidence", ...),
        ("collateral", {}),
        ("policy", {}),
        ("at", "yesterday"),
        ("at", "2026-02-03T12:00:00"),
        ("at", 5),
        ("expected", {"nonce": "!"}),
        ("expected", {"other": ""}),
        ("other", 1),
    ],
)
def test_a_bundle_that_is_not_like_its_format_is_malformed(name: str, value: Any) -> None:
    record = json.loads(BUNDLE.to_bytes())
    record = {**record, name: value}
    data = json.dumps({key: item for key, item in record.items() if item is not ...}).encode()
    with pytest.raises(MalformedError):
        Bundle.from_bytes(data)
