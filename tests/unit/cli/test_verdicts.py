"""What is shown of questions and verdicts: in words, within the width, and nothing that steers."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from adyton.cli.terminal import WIDTH, plain, table
from adyton.cli.verdicts import answer_text, layer_table, print_reasons, question_text, short_layers
from adyton.codec.json import JsonObject
from adyton.model.question import Endpoint, Question
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


def question(endpoint: str, predicate: JsonObject, **more: str | int) -> Question:
    body: JsonObject = {"predicate": predicate, "nonce": "n", **more}
    return Question.from_json(Endpoint(endpoint), body)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (question("balance", {"type": "gte", "threshold": 10000}), "balance at least 10,000"),
        (
            question("balance", {"type": "range", "min": 1, "max": "2.50"}),
            "balance between 1 and 2.50",
        ),
        (
            question("income", {"type": "annual_gte", "threshold": 5}, months=5),
            "income a year at least 5 (5 months)",
        ),
        (
            question("employment", {"type": "tenure_gte", "value": 365}),
            "employment employed for at least 365 days",
        ),
        (
            question("transactions", {"type": "none_of", "categories": ["a", "b"]}),
            "transactions none of categories=a, b",
        ),
        (
            question("balance", {"type": "owns", "name_hash": f"0x{1:064x}"}),
            "balance the account's owner is name_hash=0x000000000000…",
        ),
        (question("balance", {"type": "mystery"}), "balance mystery"),
        (question("balance", {}), "balance "),
    ],
)
def test_a_question_is_told_in_words(asked: Question, words: str) -> None:
    assert question_text(asked) == words


def test_an_answer_is_one_word() -> None:
    assert [answer_text(answer).plain for answer in (True, False, None)] == [
        "TRUE",
        "FALSE",
        "none",
    ]


def test_what_would_steer_a_terminal_is_replaced() -> None:
    assert plain("a\x1b[31mb\x07c\u202ed").plain == "a\ufffd[31mb\ufffdc\ufffdd"


def verdict(status: Status) -> Verdict:
    finding = Finding(code="why", message="\x1b[2Jbecause " + "it is long " * 30)
    layers = tuple(
        Layer(
            name=name,
            parts=tuple(
                Part(name=part, status=status, findings=(finding,))
                for part in (EVIDENCE_PARTS if name is LayerName.EVIDENCE else ("one", "two"))
            ),
            establishes="this much " * 20,
            does_not_establish="not that " * 20,
        )
        for name in LAYERS[Subject.RECEIPT]
    )
    return Verdict(
        subject=Subject.RECEIPT, layers=layers, at=datetime(2026, 2, 3, tzinfo=UTC), claimed=True
    )


def printed(renderable: object) -> str:
    console = Console(width=WIDTH, highlight=False, markup=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


@pytest.mark.parametrize("status", list(Status))
def test_every_layer_is_shown_within_the_width(status: Status) -> None:
    for text in (printed(layer_table(verdict(status))), printed(short_layers(verdict(status)))):
        assert all(name.value in text for name in LAYERS[Subject.RECEIPT])
        assert all(len(line) <= WIDTH for line in text.splitlines())
        assert "\x1b" not in text


def test_what_a_layer_establishes_is_shown_only_if_it_passed() -> None:
    assert "this much" in printed(layer_table(verdict(Status.PASSED)))
    assert "this much" not in printed(layer_table(verdict(Status.FAILED)))
    assert "because" in printed(short_layers(verdict(Status.FAILED)))


def test_a_reason_that_many_parts_have_is_said_once() -> None:
    console = Console(width=WIDTH, highlight=False, markup=False)
    with console.capture() as capture:
        print_reasons(console, verdict(Status.FAILED))
    assert capture.get().count("(why)") == 1


def test_what_the_verifier_was_not_told_is_said_with_its_option() -> None:
    given = verdict(Status.NOT_EVALUATED)
    missing = Finding(code="nonce-missing", message="not told")
    layers = tuple(
        replace(layer, parts=tuple(replace(part, findings=(missing,)) for part in layer.parts))
        for layer in given.layers
    )
    console = Console(width=WIDTH, highlight=False, markup=False)
    with console.capture() as capture:
        print_reasons(console, replace(given, layers=layers))
    assert capture.get().endswith("say it with --nonce\n")


def test_a_table_folds_its_last_column() -> None:
    made = table("a", "b")
    made.add_row("short", "x" * 300)
    assert all(len(line) <= WIDTH for line in printed(made).splitlines())
