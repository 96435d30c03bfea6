"""``adyton registry``: who is registered, a draw repeated here, and evidence judged here."""

from pathlib import Path
from typing import Final, TypeVar

from rich.text import Text

from adyton.cli.contact import talk
from adyton.cli.exits import NO, YES
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.terminal import console, plain, print_json, progress, table
from adyton.cli.verdicts import layer_table, print_reasons
from adyton.codec.json import JsonObject
from adyton.codec.text import from_hex
from adyton.sdk.registry import JudgedWorker, Wanted, drawn, judged, listed
from adyton.sdk.transport import Conversation
from adyton.sdk.verifying import read_policy

__all__ = ["run_check", "run_draw", "run_list"]

_T = TypeVar("_T")
_STYLES: Final = {"active": "green", "draining": "yellow", "offline": "dim"}
_SHOWN_NAME: Final = 16


def run_list(url: str, ca_file: Path | None, wanted: Wanted, *, as_json: bool) -> int:
    """Print the workers that the registry lists."""
    found = _asked(url, ca_file, listed(wanted))
    if as_json:
        print_json({"workers": found})
    else:
        console().print(_table(found))
    return YES


def run_draw(
    url: str, ca_file: Path | None, wanted: Wanted, *, seed: str, count: int, as_json: bool
) -> int:
    """Print whom the registry draws, once the draw was repeated."""
    data = from_hex(seed.lower(), "--seed", size=len(seed) // 2)
    answer = _asked(url, ca_file, drawn(data, count=count, wanted=wanted))
    if as_json:
        print_json(answer)
    else:
        _show_draw(answer)
    return YES if answer["selected"] else NO


def run_check(url: str, ca_file: Path | None, worker: str, *, policy: Path, as_json: bool) -> int:
    """Print the verdict on what a worker showed, under a policy of one's own."""
    if len(worker) != 64 or not worker.isalnum():  # noqa: PLR2004  # SHA-256 in hexadecimal
        raise OptionMalformedError("a worker's name has 64 hexadecimal digits")
    found = _asked(url, ca_file, judged(worker, policy=read_policy(policy)))
    if as_json:
        said = None if found.claims is None else found.claims.to_json()
        print_json({**found.verdict.to_json(), "claims": said, "worker": found.record})
    else:
        _show_judged(found)
    return YES if found.verdict.accepted else NO


def _asked(url: str, ca_file: Path | None, conversation: Conversation[_T]) -> _T:
    with progress("asking the registry"):
        return talk(url, ca_file, lambda gateway: gateway.run(conversation))


def _table(workers: list[JsonObject]) -> object:
    made = table("worker", "state", "weight", "vouched for by", "address")
    for worker in workers:
        made.add_row(*_cells(worker))
    return made


def _cells(worker: JsonObject) -> tuple[Text, ...]:
    state, attestation = str(worker.get("state")), worker.get("attestation")
    platform = attestation.get("platform") if isinstance(attestation, dict) else "nobody"
    return (
        plain(str(worker.get("id"))[:_SHOWN_NAME], "bold"),
        plain(state, _STYLES.get(state, "bold red")),
        plain(worker.get("weight")),
        plain(platform),
        plain(worker.get("endpoint")),
    )


def _show_draw(answer: JsonObject) -> None:
    selected, candidates = answer["selected"], answer["candidates"]
    out = console()
    if isinstance(selected, list) and isinstance(candidates, list):
        out.print(_table([item for item in selected if isinstance(item, dict)]))
        out.print(plain(f"\ndrawn from {len(candidates)}; repeated here", "dim"))


def _show_judged(found: JudgedWorker) -> None:
    out = console()
    out.print(_table([found.record]))
    out.print()
    out.print(layer_table(found.verdict))
    if found.verdict.accepted:
        out.print(Text("acceptable under your policy", style="bold green"))
        return
    out.print(Text("not acceptable under your policy", style="bold red"))
    print_reasons(out, found.verdict)
