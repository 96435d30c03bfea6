"""Whatever a source answers, no error quotes it: the text of an error crosses to the host."""

import json
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.workshop import FakeProver, FakeSource, Workshop

from adyton.errors import AdytonError

MARK: Final = "QZXMARK7731"
AMOUNT: Final = 73451.98
PATTERNS: Final = {"xpath": "//balance", "regex": 'balance": ([0-9.]+)', "jsonPath": "$.a.balance"}
JSON: Final = json.dumps(
    {
        "account": [
            {
                "CONTAINER": "bank",
                "isAsset": True,
                "accountName": MARK,
                "balance": {"amount": AMOUNT, "currency": "USD"},
            }
        ],
        "a": {"balance": AMOUNT, "name": MARK},
    }
).encode()
XML: Final = f"<a name='{MARK}'><name>{MARK}</name><balance>{AMOUNT}</balance></a>".encode()


def questions(workshop: Workshop) -> list[tuple[Any, bytes]]:
    """Return questions of every way in which an answer is read, and a good answer to each."""
    found: list[tuple[Any, bytes]] = [
        (
            workshop.question(
                predicate={"type": "gte", "threshold": 1},
                provider="yodlee-balance",
                credentials={"access_token": MARK},
            ),
            JSON,
        )
    ]
    for kind, response in (("jsonPath", "Json"), ("xpath", "Xml"), ("xpath", "Html"),
                           ("regex", "Text")):  # fmt: skip
        for type_ in ("Decimal", "Integer", "String", "Boolean", "Date"):
            question = workshop.question(
                "custom",
                {"type": "exists"},
                provider={"url": "https://api.example.com/", "method": "GET"},
                credentials={},
                response_extraction={
                    "type": kind,
                    "pattern": PATTERNS[kind],
                    "data_type": type_,
                    "response_type": response,
                },
            )
            found.append((question, XML if kind == "xpath" else JSON))
    return found


def told(workshop: Workshop, question: Any, body: bytes) -> str:
    """Return all that an error says of an answer, and nothing where there is no error."""
    try:
        workshop.derive(question, http=FakeSource(body=body), prover=FakeProver())
    except AdytonError as error:
        return f"{error}|{error!r}|{error.code}"
    return ""


def tells(text: str) -> bool:
    return MARK in text or "73451" in text or "7345198" in text


def test_a_good_answer_is_read_by_each(workshop: Workshop) -> None:
    # Some types do not fit: that is an error as well, and one of the interesting ones.
    texts = [told(workshop, question, body) for question, body in questions(workshop)]
    assert "" in texts
    assert not [text for text in texts if tells(text)]


pieces = st.tuples(
    st.integers(0, 400),
    st.sampled_from(
        ["", MARK, str(AMOUNT), "<", ">", "&", '"', "\\", "{", "]", "\xff", "\0", "1e9"]
    ),
    st.integers(0, 60),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), changes=st.lists(pieces, min_size=1, max_size=4))
def test_no_error_about_a_broken_answer_quotes_it(
    workshop: Workshop, data: st.DataObject, changes: list[tuple[int, str, int]]
) -> None:
    question, body = data.draw(st.sampled_from(questions(workshop)))
    for place, piece, gone in changes:
        body = body[:place] + piece.encode("latin-1") + body[place + gone :]
    assert not tells(told(workshop, question, body))


@pytest.mark.parametrize(
    "body",
    [
        f'{{"{MARK}": 1, "{MARK}": 2}}'.encode(),
        f'{{"account": "{MARK}"}}'.encode(),
        f'{{"account": [{{"CONTAINER": "bank", "isAsset": true, "balance": "{MARK}"}}]}}'.encode(),
        f"<?xml version='1.0'?><!DOCTYPE {MARK}><a>&{MARK};</a>".encode(),
        f"<a {MARK}></b>".encode(),
        MARK.encode("utf-16"),
        MARK.encode() + b"\xff",
        b"73451.98",
        f'["{MARK}"'.encode(),
    ],
)
def test_no_error_about_these_quotes_them(workshop: Workshop, body: bytes) -> None:
    for question, _good in questions(workshop):
        assert not tells(told(workshop, question, body))


def test_no_error_about_a_credential_quotes_it(workshop: Workshop) -> None:
    for name in ("access_token", "nothing", MARK):
        for value in (f"{MARK}\r\nX: 1", f"{MARK}\0", MARK * 2000, f"\ud800{MARK}".encode(
            "utf-8", "replace").decode()):  # fmt: skip
            question = workshop.question(
                predicate={"type": "gte", "threshold": 1},
                provider="yodlee-balance",
                credentials={name: value},
            )
            text = told(workshop, question, JSON)
            # The name of a credential is the asker's own, and is shown so that he finds it.
            assert MARK not in text.replace(f'"{MARK}"', "")
