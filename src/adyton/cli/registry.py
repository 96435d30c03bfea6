"""``adyton registry``: who is registered, a draw repeated here, and evidence judged here."""

import re
from pathlib import Path
from typing import Final, TypeVar

from rich.text import Text

from adyton.cli.contact import talk
from adyton.cli.exits import NO, YES
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.terminal import console, notes, plain, print_json, progress, table
from adyton.cli.verdicts import layer_table, print_reasons
from adyton.codec.json import JsonObject
from adyton.codec.text import from_hex
from adyton.errors import UnavailableError
from adyton.sdk.registry import JudgedWorker, Wanted, drawn, judged, listed
from adyton.sdk.transport import Conversation
from adyton.sdk.verifying import read_policy

__all__ = ["NobodyDrawnError", "run_check", "run_draw", "run_list"]

_T = TypeVar("_T")
_STYLES: Final = {"active": "green", "draining": "yellow", "offline": "dim"}
_SHOWN_NAME: Final = 16
_NAME_DIGITS: Final = 64
_NAME: Final = re.compile(rf"[0-9a-f]{{{_SHOWN_NAME},{_NAME_DIGITS}}}")


class NobodyDrawnError(UnavailableError):
    """A draw has no candidates: perhaps somebody registers, or comes back."""

    code = "nobody-drawn"

    def __init__(self) -> None:
        super().__init__("nobody could be drawn: no worker that is asked for is active there")


def run_list(url: str, ca_file: Path | None, wanted: Wanted, *, as_json: bool) -> int:
    """Print the workers that the registry lists."""
    found = _asked(url, ca_file, listed(wanted))
    if as_json:
        print_json({"workers": found})
    elif found:
        console().print(_table(found))
    else:
        console().print(plain(f"no such worker is registered at {url}"))
        text = (
            "a gateway keeps workers under its ADYTON_REGISTRY_POLICY; its own joins a registry by"
            " ADYTON_REGISTRY_URL, _KEY_FILE and _ENDPOINT"
        )
        notes().print(plain(text, "dim"))
    return YES


def run_draw(
    url: str, ca_file: Path | None, wanted: Wanted, *, seed: str, count: int, as_json: bool
) -> int:
    """Print whom the registry draws, once the draw was repeated."""
    data = from_hex(seed.lower(), "--seed", size=len(seed) // 2)
    answer = _asked(url, ca_file, drawn(data, count=count, wanted=wanted))
    if not answer["selected"]:
        raise NobodyDrawnError
    if as_json:
        print_json(answer)
    else:
        _show_draw(answer)
    return YES


def run_check(url: str, ca_file: Path | None, worker: str, *, policy: Path, as_json: bool) -> int:
    """Print the verdict on what a worker showed, under a policy of one's own."""
    accepted = read_policy(policy)
    name = _name(url, ca_file, worker)
    found = _asked(url, ca_file, judged(name, policy=accepted))
    if as_json:
        said = None if found.claims is None else found.claims.to_json()
        print_json({**found.verdict.to_json(), "claims": said, "worker": found.record})
    else:
        _show_judged(found)
    return YES if found.verdict.accepted else NO


def _name(url: str, ca_file: Path | None, worker: str) -> str:
    """Return a worker's whole name: lists show its beginning, which is enough where it is one's."""
    if not _NAME.fullmatch(worker):
        raise OptionMalformedError("a worker's name is hexadecimal: 64 digits, or its first 16")
    if len(worker) == _NAME_DIGITS:
        return worker
    listing = _asked(url, ca_file, listed(Wanted()))
    names = [name for item in listing if _NAME.fullmatch(name := str(item.get("id")))]
    found = [name for name in names if name.startswith(worker)]
    if len(found) != 1:
        raise OptionMalformedError(f"{len(found)} workers there have a name like {worker}…")
    return found[0]


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
