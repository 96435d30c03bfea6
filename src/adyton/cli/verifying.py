"""``adyton verify``: read the files, judge, print, and say it by the exit code."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text

from adyton.cli.exits import NO, YES
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.proofs import digest_with_bar, show_proof
from adyton.cli.terminal import console, print_json, progress
from adyton.cli.verdicts import (
    answer_text,
    layer_table,
    print_reasons,
    proving_table,
    receipt_table,
)
from adyton.codec.javascript import Value
from adyton.codec.text import from_base64
from adyton.errors import MalformedError
from adyton.evidence.collateral import NO_COLLATERAL, Collateral
from adyton.model.proving_receipt import ProvingReceipt
from adyton.model.receipt import Receipt
from adyton.model.verdict import Verdict
from adyton.sdk.evidence import read_collateral
from adyton.sdk.files import unreadable
from adyton.sdk.proofs import find_proof, judge_proof
from adyton.sdk.verifying import read_policy, read_receipt, verify

__all__ = ["Verifying", "run_verify"]

_CHALLENGE_BYTES = 64
_BEGINNING = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifying:
    """Everything that the command line says about a verification; only names are read yet."""

    file: Path
    policy: Path | None
    about: Path | None
    checkpoint: Path | None
    previous: Path | None
    nonce: str | None
    at: str | None
    challenge: str | None
    collateral: Path | None
    as_json: bool


def run_verify(asked: Verifying) -> int:
    """Print the verdict on the file and return the exit code."""
    instant = _instant(asked.at) if asked.at else datetime.now(UTC)
    document = _proof(asked.file)
    if document is not None:
        return _verify_proof(document, asked, at=instant)
    return _verify_receipt(asked, at=instant)


def _proof(file: Path) -> Value:
    """Return the notary's proof in ``file``, or ``None``; say what is not checked here at all."""
    try:
        return find_proof(file)
    except MalformedError as error:
        with unreadable(file), file.open("rb") as opened:
            if opened.read(_BEGINNING).lstrip().startswith(b"{"):
                raise
        raise MalformedError(
            f"{file}: no receipt and no notary's proof, which are JSON. A bare proof (adyton"
            " prove --proof-out) is checked by what it was made for, as bb verify, with the key of"
            " --key-out; all that comes with one is checked here in a receipt (--out)"
        ) from error


def _verify_receipt(asked: Verifying, *, at: datetime) -> int:
    if asked.policy is None:
        raise OptionMalformedError("a receipt is judged under a policy: give --policy")
    if asked.about or asked.checkpoint or asked.previous:
        text = "--file, --checkpoint and --previous are for a notary's proof, and this is none"
        raise OptionMalformedError(text)
    receipt, accepted = read_receipt(asked.file), read_policy(asked.policy)
    challenge = asked.challenge
    sent = from_base64(challenge, "challenge", limit_bytes=_CHALLENGE_BYTES) if challenge else None
    start = time.perf_counter()
    with progress("checking the receipt"):
        verdict = verify(
            receipt,
            policy=accepted,
            nonce=asked.nonce,
            challenge=sent,
            collateral=_collateral(asked),
            at=at,
        )
    milliseconds = (time.perf_counter() - start) * 1000
    if asked.as_json:
        print_json(verdict.to_json())
    else:
        _show(receipt, verdict, milliseconds)
    return YES if verdict.accepted else NO


def _collateral(asked: Verifying) -> Collateral:
    return NO_COLLATERAL if asked.collateral is None else read_collateral(asked.collateral)


def _verify_proof(document: Value, asked: Verifying, *, at: datetime) -> int:
    if asked.nonce or asked.challenge:
        text = "--nonce and --challenge are for a receipt, and this is a notary's proof"
        raise OptionMalformedError(text)
    verdict = judge_proof(
        document,
        at=at,
        policy=asked.policy,
        artifact=None if asked.about is None else digest_with_bar(asked.about),
        checkpoint=asked.checkpoint,
        previous=asked.previous,
        collateral=_collateral(asked),
    )
    if asked.as_json:
        print_json(verdict.to_json())
    else:
        show_proof(document, verdict)
    return YES if verdict.accepted else NO


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedError(f"--at {text!r} is not a time as 2026-02-03T12:00:00Z") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _show(receipt: Receipt | ProvingReceipt, verdict: Verdict, milliseconds: float) -> None:
    out = console()
    out.print(receipt_table(receipt) if isinstance(receipt, Receipt) else proving_table(receipt))
    out.print()
    out.print(layer_table(verdict))
    if not verdict.accepted:
        out.print(Text("the receipt does not hold: it answers nothing", style="bold red"))
        print_reasons(out, verdict)
        return
    head = Text.assemble(("the receipt holds", "bold green"))
    if isinstance(receipt, Receipt):
        head.append(": the answer is ").append(answer_text(verdict.answer))
    out.print(head, Text(f"({milliseconds:.0f} ms)", "dim"))
