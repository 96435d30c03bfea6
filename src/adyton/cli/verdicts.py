"""A verdict and the statement it is about, for people: answer, layers, what each is worth."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from adyton.cli.terminal import plain, table
from adyton.codec.json import Json, JsonObject
from adyton.model.proving_receipt import ProvingReceipt
from adyton.model.question import Question
from adyton.model.receipt import Receipt
from adyton.model.verdict import Finding, Layer, Status, Verdict
from adyton.verification.machine import MachineVerdict

__all__ = [
    "answer_text",
    "layer_table",
    "print_reasons",
    "proving_table",
    "question_text",
    "receipt_table",
    "short_layers",
    "times",
]

_STYLES: Final[Mapping[Status, str]] = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.NOT_REQUIRED: "yellow",
    Status.NOT_EVALUATED: "bold red",
}
_WORDS: Final[Mapping[str, str]] = {
    "gte": "at least",
    "lte": "at most",
    "range": "between",
    "annual_gte": "a year at least",
    "annual_lte": "a year at most",
    "score_gte": "at least",
    "score_lte": "at most",
    "tenure_gte": "employed for at least",
    "currently_employed": "currently employed",
    "no_gambling": "no gambling",
    "no_suspicious": "nothing suspicious",
    "none_of": "none of",
    "regular_income": "regular income",
    "has_degree": "has a degree",
    "is_valid": "is valid",
    "owns": "the account's owner is",
    "eq": "equals",
    "membership": "is one of",
    "exists": "exists",
}
# What the verifier was not told, and the options that tell it.
_TOLD_BY: Final[Mapping[str, str]] = {
    "binding-missing": "--report-data, --nonce or --public-key",
    "nonce-missing": "--nonce",
}
_HASH_LENGTH: Final = 66
_SHOWN_HASH: Final = 14
_PART_WIDTH: Final = 13


def answer_text(answer: bool | None) -> Text:  # noqa: FBT001  # a truth value is what is shown
    """Return an answer in one word; ``None`` is none."""
    match answer:
        case True:
            return Text("TRUE", style="bold green")
        case False:
            return Text("FALSE", style="bold yellow")
        case None:
            return Text("none", style="bold red")


def question_text(question: Question) -> str:
    """Return a question in a few words: its predicate, as far as it is known, in English."""
    predicate = question.predicate
    kind = str(predicate.get("type", ""))
    words = [question.endpoint.value, _WORDS.get(kind, kind)]
    if {"min", "max"} <= predicate.keys():
        words += [_value(predicate["min"]), "and", _value(predicate["max"])]
    words += [_value(predicate[key]) for key in _PLAIN_KEYS if key in predicate]
    words += _others(predicate)
    if kind == "tenure_gte":
        words.append("days")
    if question.months is not None:
        words.append(f"({question.months} months)")
    return " ".join(words)


_PLAIN_KEYS: Final = ("threshold", "value", "expected", "currency", "degreeLevel", "degree_level")
_NAMED: Final = {"type", "min", "max", *_PLAIN_KEYS}


def _others(predicate: JsonObject) -> list[str]:
    return [f"{key}={_value(value)}" for key, value in predicate.items() if key not in _NAMED]


def _value(value: Json) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return f"{value:,}"
        case str() if len(value) == _HASH_LENGTH and value.startswith("0x"):
            return f"{value[:_SHOWN_HASH]}…"
        case list():
            return ", ".join(_value(item) for item in value)
        case _:
            return str(value)


def receipt_table(receipt: Receipt) -> Table:
    """Return what a receipt says, unverified: its question, its source, its time."""
    statement = receipt.statement
    question, transcript = statement.question, statement.transcript
    given = datetime.fromtimestamp(statement.time, tz=UTC)
    source = f"{statement.provider}, by {transcript.protocol} with {transcript.server_name}"
    rows = {
        "question": question_text(question),
        "source": source,
        "given": f"{given:%Y-%m-%d %H:%M:%S} UTC",
        "nonce": question.nonce,
        "audience": question.audience or "anybody",
        "circuit": f"{statement.circuit}, key {statement.verification_key.hex()[:16]}…",
        "worker": f"platform {receipt.manifest.platform}, isolation {receipt.manifest.isolation}",
    }
    return _rows(rows)


def proving_table(receipt: ProvingReceipt) -> Table:
    """Return what a receipt for a delegated proof says, unverified."""
    statement = receipt.statement
    header, given = statement.header, datetime.fromtimestamp(statement.time, tz=UTC)
    rows = {
        "proof": f"{len(receipt.proof)} bytes, {header.scheme} for {header.target}",
        "program": statement.circuit.hex(),
        "key": statement.verification_key.hex(),
        "public inputs": f"{len(receipt.public_inputs)}",
        "given": f"{given:%Y-%m-%d %H:%M:%S} UTC",
        "nonce": header.nonce,
        "audience": header.audience or "anybody",
        "prover": receipt.manifest.software.prover.hex(),
        "worker": f"platform {receipt.manifest.platform}",
    }
    return _rows(rows)


def _rows(rows: Mapping[str, str]) -> Table:
    made = table("", "")
    made.show_header = False
    for name, value in rows.items():
        made.add_row(Text(name, style="dim"), plain(value))
    return made


def layer_table(verdict: Verdict) -> RenderableType:
    """Return every layer with its parts, what it establishes, and what it does not."""
    blocks: list[RenderableType] = []
    for layer in verdict.layers:
        head = Text.assemble((f"{layer.name.value:<12}", "bold"), _status(layer.status))
        blocks += [head, Padding(_details(layer), (0, 0, 1, 2))]
    return Group(*blocks)


def _details(layer: Layer) -> Table:
    made = table("", "")
    made.show_header = False
    # The same in every layer, so that their columns are one below the other.
    made.columns[0].min_width = _PART_WIDTH
    said: tuple[Finding, ...] = ()
    for part in layer.parts:
        texts = Text("\n").join(_finding(finding) for finding in part.findings)
        if part.status is not Status.PASSED:
            # One reason for several parts is read once.
            why = (", as above",) if part.findings == said else (": ", texts)
            texts = Text.assemble(_status(part.status), *why)
        said = part.findings
        made.add_row(Text(part.name), texts if part.findings else _status(part.status))
    if layer.status is Status.PASSED:
        made.add_row(Text("shows", style="green"), plain(layer.establishes))
    made.add_row(Text("not", style="yellow"), plain(layer.does_not_establish, "dim"))
    return made


def _finding(finding: Finding) -> Text:
    return plain(finding.message)


def _status(status: Status) -> Text:
    return Text(status.value.replace("-", " "), style=_STYLES[status])


def short_layers(verdict: Verdict) -> Table:
    """Return one line a layer: what came of it, and what it establishes or why not."""
    made = table("layer", "", "")
    for layer in verdict.layers:
        reasons = [
            finding.message
            for part in layer.parts
            if part.status in {Status.FAILED, Status.NOT_EVALUATED}
            for finding in part.findings
        ]
        text = "; ".join(reasons) if reasons else layer.establishes
        made.add_row(Text(layer.name.value, style="bold"), _status(layer.status), plain(text))
    return made


def print_reasons(out: Console, verdict: Verdict | MachineVerdict) -> None:
    """Print what speaks against acceptance, a line each: once, however many parts have it."""
    for finding in dict.fromkeys(verdict.reasons):
        out.print(
            Text("  ").append_text(plain(finding.message)).append(f" ({finding.code})", "dim")
        )
        if finding.code in _TOLD_BY:
            out.print(Text(f"    say it with {_TOLD_BY[finding.code]}", "dim"))


def times(timings: Mapping[str, float]) -> str:
    """Return milliseconds by step in one line."""
    return "   ".join(f"{name} {ms:.1f} ms" for name, ms in timings.items())
