"""A notary's proof, for people: what it says, and what a verdict says about it."""

from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text

from adyton.cli.terminal import console, counted, plain, table
from adyton.cli.verdicts import layer_table, print_reasons
from adyton.codec.javascript import Value
from adyton.errors import MalformedError
from adyton.ledger.proof import Proof
from adyton.model.verdict import Verdict
from adyton.sdk.files import unreadable
from adyton.sdk.proofs import digest_of

__all__ = ["digest_with_bar", "given_at", "proof_place", "show_proof"]


def proof_place(file: Path) -> Path:
    """Return where the proof of ``file`` is written."""
    return file.with_name(f"{file.name}.proof.json")


def digest_with_bar(file: Path) -> bytes:
    """Return SHA-256 of ``file``, with a bar on a terminal where that takes a while."""
    with unreadable(file):
        size = file.stat().st_size
    with counted(f"hashing {file.name}", size) as told:
        return digest_of(file, told=told)


def show_proof(document: Value, verdict: Verdict) -> None:
    """Print what a proof says, unverified, and then the verdict on it."""
    out = console()
    rows = _rows(document)
    if rows:
        made = table("", "")
        made.show_header = False
        for name, value in rows.items():
            made.add_row(Text(name, style="dim"), plain(value))
        out.print(made)
        out.print()
    out.print(layer_table(verdict))
    if verdict.accepted:
        out.print(Text("the proof holds", style="bold green"))
        return
    out.print(Text("the proof does not hold", style="bold red"))
    print_reasons(out, verdict)


def given_at(time_ms: float | None) -> str:
    """Return a commit's time, by the notary's clock, as people read it."""
    try:
        given = datetime.fromtimestamp((time_ms or 0) / 1000, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return "beyond all calendars"
    return "not said" if time_ms is None else f"{given:%Y-%m-%d %H:%M:%S} UTC"


def _rows(document: Value) -> dict[str, str]:
    try:
        proof = Proof.from_json(document)
    except MalformedError:
        return {}
    evidence = "none" if proof.attestation is None else proof.attestation.format
    return {
        "sha-256": proof.digest_text,
        "number": proof.counter or "none",
        "time": f"{given_at(proof.time)}, by the notary's clock",
        "key": proof.public_key_text,
        "epoch": proof.epoch_id or "none",
        "held in": f"{proof.enforcement}, evidence: {evidence}",
        "counter in": str(proof.commit.get("anchor", "not said")),
    }
