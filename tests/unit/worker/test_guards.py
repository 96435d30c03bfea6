"""What is opened once, and what one credential may still be asked."""

from datetime import UTC, datetime, timedelta

import pytest

from adyton.errors import UnavailableError
from adyton.worker.budget import BudgetExhaustedError, DisclosureBudget
from adyton.worker.replay import ReplayGuard, ReplayRejectedError

NOW = datetime(2026, 11, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


def guard(limit: int = 10) -> ReplayGuard:
    return ReplayGuard(lifetime=timedelta(minutes=5), limit=limit)


def budget(limit: int = 2, credentials: int = 2) -> DisclosureBudget:
    return DisclosureBudget(limit=limit, window=HOUR, credentials=credentials)


def test_a_box_is_admitted_once() -> None:
    seen = guard()
    seen.admit([b"a"], now=NOW)
    with pytest.raises(ReplayRejectedError):
        seen.admit([b"a"], now=NOW + timedelta(minutes=4))


def test_one_old_box_among_new_ones_is_enough_to_refuse() -> None:
    seen = guard()
    seen.admit([b"a"], now=NOW)
    with pytest.raises(ReplayRejectedError):
        seen.admit([b"b", b"a"], now=NOW)
    seen.admit([b"b"], now=NOW)


def test_one_box_twice_in_a_question_is_refused() -> None:
    with pytest.raises(ReplayRejectedError):
        guard().admit([b"a", b"a"], now=NOW)


def test_a_box_is_forgotten_when_its_age_refuses_it() -> None:
    seen = guard(limit=1)
    seen.admit([b"a"], now=NOW)
    seen.admit([b"b"], now=NOW + timedelta(minutes=5))


def test_a_full_guard_refuses_rather_than_forgets() -> None:
    seen = guard(limit=1)
    seen.admit([b"a"], now=NOW)
    with pytest.raises(UnavailableError):
        seen.admit([b"b"], now=NOW)
    with pytest.raises(ReplayRejectedError):
        seen.admit([b"a"], now=NOW)


def test_the_budget_ends_after_its_number_of_different_questions() -> None:
    spent = budget()
    spent.spend(b"c", b"1", now=NOW)
    spent.spend(b"c", b"2", now=NOW)
    with pytest.raises(BudgetExhaustedError):
        spent.spend(b"c", b"3", now=NOW)


def test_the_same_question_costs_nothing() -> None:
    spent = budget(limit=1)
    for _ in range(5):
        spent.spend(b"c", b"1", now=NOW)


def test_credentials_do_not_share_a_budget() -> None:
    spent = budget(limit=1)
    spent.spend(b"c", b"1", now=NOW)
    spent.spend(b"d", b"2", now=NOW)


def test_the_budget_comes_back_with_the_window() -> None:
    spent = budget(limit=1)
    spent.spend(b"c", b"1", now=NOW)
    spent.spend(b"c", b"2", now=NOW + HOUR)


def test_a_full_book_refuses_rather_than_forgets() -> None:
    spent = budget(limit=1, credentials=1)
    spent.spend(b"c", b"1", now=NOW)
    with pytest.raises(UnavailableError):
        spent.spend(b"d", b"1", now=NOW)
    with pytest.raises(BudgetExhaustedError):
        spent.spend(b"c", b"2", now=NOW)
    spent.spend(b"d", b"1", now=NOW + HOUR)
