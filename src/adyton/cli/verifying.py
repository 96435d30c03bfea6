"""``adyton verify``: read the files, judge, print, and say it by the exit code."""

import time
from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text

from adyton.cli.exits import NO, YES
from adyton.cli.terminal import console, plain, print_json, progress
from adyton.cli.verdicts import answer_text, layer_table, receipt_table
from adyton.codec.text import from_base64
from adyton.errors import MalformedError
from adyton.model.receipt import Receipt
from adyton.model.verdict import Verdict
from adyton.sdk.verifying import read_policy, read_receipt, verify

__all__ = ["run_verify"]

_CHALLENGE_BYTES = 64


def run_verify(
    file: Path,
    *,
    policy: Path,
    nonce: str | None,
    at: str | None,
    challenge: str | None,
    as_json: bool,
) -> int:
    """Print the verdict on ``file`` and return the exit code."""
    receipt, accepted = read_receipt(file), read_policy(policy)
    instant = _instant(at) if at else datetime.now(UTC)
    asked = from_base64(challenge, "challenge", limit_bytes=_CHALLENGE_BYTES) if challenge else None
    start = time.perf_counter()
    with progress("checking the receipt"):
        verdict = verify(receipt, policy=accepted, nonce=nonce, challenge=asked, at=instant)
    milliseconds = (time.perf_counter() - start) * 1000
    if as_json:
        print_json(verdict.to_json())
    else:
        _show(receipt, verdict, milliseconds)
    return YES if verdict.accepted else NO


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedError(f"--at {text!r} is not a time as 2026-02-03T12:00:00Z") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _show(receipt: Receipt, verdict: Verdict, milliseconds: float) -> None:
    out = console()
    out.print(receipt_table(receipt))
    out.print()
    out.print(layer_table(verdict))
    if verdict.accepted:
        head = Text.assemble(("the receipt holds", "bold green"), ": the answer is ")
        out.print(head.append(answer_text(verdict.answer)), Text(f"({milliseconds:.0f} ms)", "dim"))
        return
    out.print(Text("the receipt does not hold: it answers nothing", style="bold red"))
    for finding in verdict.reasons:
        out.print(
            Text("  ").append_text(plain(finding.message)).append(f" ({finding.code})", "dim")
        )
