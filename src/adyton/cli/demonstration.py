"""``adyton demo``: everything on this machine, real proofs, what must be refused, and files."""

import asyncio
import os
import secrets
import shlex
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from adyton.adapters.reference_string import find_reference_string
from adyton.adapters.verifier import OfflineVerifier
from adyton.appraisal.policy import Policy
from adyton.cli.development import make_folder, write_whole
from adyton.cli.exits import NO, YES
from adyton.cli.forgery import forged
from adyton.cli.hostile import Hostile, with_threshold
from adyton.cli.local import LocalStack
from adyton.cli.script import BUDGET, Mischief, Step, steps
from adyton.cli.terminal import console, notes, plain, progress
from adyton.cli.tools import check_tools
from adyton.cli.verdicts import answer_text
from adyton.codec.json import canonical
from adyton.errors import AdytonError, RejectedError
from adyton.model.verdict import LAYERS, Status, Subject
from adyton.sdk.asking import Answer
from adyton.sdk.client import AsyncClient

__all__ = ["run_demo"]

_INSECURE: Final = "the platform is INSECURE: no hardware vouches for this worker\n"
# Each is a process of its own, which starts Python; two cores are the least there is.
_AT_A_TIME: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What came of one question."""

    step: Step
    result: Answer | AdytonError
    milliseconds: float

    @property
    def is_expected(self) -> bool:
        if isinstance(self.result, Answer):
            return self.result.answer is self.step.expected
        return self.result.code == self.step.expected


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A receipt that was left, and whether it must hold."""

    path: Path
    nonce: str
    holds: bool


def run_demo(out: Path) -> int:
    """Run the demonstration, leave the receipts in ``out``, and return the exit code."""
    check_tools(os.environ)
    # Whoever ends this process means all that it started: as Ctrl+C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    make_folder(out)
    reference = find_reference_string(os.environ, home=Path.home())
    if not reference.points:
        text = f"no reference string in {reference.folder} yet: bb downloads it, if it can"
        notes().print(plain(text, "dim"))
    return asyncio.run(_demonstrate(out))


async def _demonstrate(out: Path) -> int:
    shown = console()
    outcomes = await _run(out)
    shown.print(_table(outcomes))
    files = _leave(outcomes, out)
    shown.print(plain(f"\nthe receipts are in {out}; verified again, each in a new process:\n"))
    with progress("verifying"):
        codes = await _verify_all(files, out / "policy.yaml")
    fine = all(outcome.is_expected for outcome in outcomes)
    for file, (code, words) in zip(files, codes, strict=True):
        expected = code == (YES if file.holds else NO)
        fine = fine and expected
        _show_verification(file, out / "policy.yaml", words, is_expected=expected)
    if fine:
        shown.print(plain("everything came out as it must", "bold green"))
        return YES
    shown.print(plain("something did not come out as it must: see UNEXPECTED", "bold red"))
    return NO


async def _run(out: Path) -> list[_Outcome]:
    """Start everything, ask, keep the policy, and end everything."""
    begin = time.perf_counter()
    async with AsyncExitStack() as ends:
        with progress("starting a sandbox bank, a worker and a gateway"):
            stack = await ends.enter_async_context(LocalStack(ADYTON_BUDGET=str(BUDGET)))
        seconds = time.perf_counter() - begin
        shown = console()
        shown.print(plain(f"a sandbox bank, a worker and a gateway run, after {seconds:.1f} s"))
        shown.print(plain(_INSECURE, "yellow"))
        outcomes = await _ask_all(stack)
        write_whole(out / "policy.yaml", (stack.state / "policy.yaml").read_text())
    return outcomes


async def _ask_all(stack: LocalStack) -> list[_Outcome]:
    way = Hostile()
    outcomes = []
    with OfflineVerifier() as verifier:

        def client(policy: Policy) -> AsyncClient:
            return AsyncClient(
                stack.url, api_key=stack.api_key, policy=policy, verifier=verifier, transport=way
            )

        async with client(stack.policy) as ours, client(_nitro()) as stranger:
            for step in steps():
                asking = stranger if step.mischief is Mischief.STRANGER else ours
                with progress(f"asking: {step.title}"):
                    outcomes.append(await _ask(asking, way, step))
    return outcomes


async def _ask(client: AsyncClient, way: Hostile, step: Step) -> _Outcome:
    start = time.perf_counter()
    if step.mischief is Mischief.THRESHOLD:
        way.change = lambda question: with_threshold(question, 1)
    way.repeat = step.mischief is Mischief.REPLAY
    # Any: what this names are further fields of RFC-0023, beside arguments of other types.
    more: dict[str, Any] = {} if step.months is None else {"months": step.months}
    result: Answer | AdytonError
    try:
        result = await client.ask(
            step.endpoint,
            step.predicate,
            credentials=step.credentials,
            provider=step.provider,
            nonce=f"demo-{secrets.token_hex(4)}",
            **more,
        )
    except RejectedError as error:
        result = error
    # What could not be answered ends the demonstration: it has shown nothing.
    return _Outcome(step=step, result=result, milliseconds=(time.perf_counter() - start) * 1000)


def _nitro() -> Policy:
    """Return a policy that accepts AWS's own root and no other."""
    return Policy.from_json(
        {
            "version": "adyton/policy/v1",
            "roots": {"aws-nitro": "built-in"},
            "platforms": {
                "nitro": {
                    "debug": "refused",
                    "tcb": "not-required",
                    "measurements": "not-required",
                }
            },
            "evidence": {"maximum_age_seconds": 900, "challenge": "not-required"},
        }
    )


def _table(outcomes: Iterable[_Outcome]) -> Table:
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    made.add_column("question")
    made.add_column("answer", no_wrap=True)
    for layer in LAYERS[Subject.RECEIPT]:
        made.add_column(layer.value, no_wrap=True)
    made.add_column("ms", justify="right", no_wrap=True)
    for outcome in outcomes:
        made.add_row(*_row(outcome))
    return made


def _row(outcome: _Outcome) -> list[Text]:
    title, milliseconds = plain(outcome.step.title), Text(f"{outcome.milliseconds:.0f}")
    result = outcome.result
    if isinstance(result, Answer):
        answer = answer_text(result.answer)
        layers = [_mark(result.verdict.layer(name).status) for name in LAYERS[Subject.RECEIPT]]
    else:
        answer = Text("refused", style="bold magenta")
        layers = [Text("-", style="dim")] * len(LAYERS[Subject.RECEIPT])
        title = title.append(f"\n  {result.code}", style="dim")
    if not outcome.is_expected:
        answer = answer.append(" UNEXPECTED", style="bold red")
    return [title, answer, *layers, milliseconds]


def _mark(status: Status) -> Text:
    return Text("holds", "green") if status is Status.PASSED else Text(status.value, "red")


def _leave(outcomes: Iterable[_Outcome], out: Path) -> list[_File]:
    """Write each receipt, and one that was forged from a FALSE one."""
    files: list[_File] = []
    denied: Answer | None = None
    for outcome in outcomes:
        if not isinstance(answer := outcome.result, Answer):
            continue
        number = len(files) + 1
        name = f"{number}-{outcome.step.name}.json"
        files.append(_write(out / name, answer, holds=True))
        if not answer.answer:
            denied = answer
    if denied is not None:
        files.append(_write(out / "forged.json", denied, holds=False))
    return files


def _write(path: Path, answer: Answer, *, holds: bool) -> _File:
    record = answer.receipt.to_json()
    write_whole(path, canonical(record if holds else forged(record)))
    return _File(path=path, nonce=answer.receipt.statement.question.nonce, holds=holds)


async def _verify_all(files: Iterable[_File], policy: Path) -> list[tuple[int, str]]:
    places = asyncio.Semaphore(_AT_A_TIME)

    async def verify(file: _File) -> tuple[int, str]:
        async with places:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "adyton.cli",
                *_arguments(file, policy),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await process.communicate()
        return process.returncode or 0, _words(output.decode(errors="replace"))

    return await asyncio.gather(*(verify(file) for file in files))


def _arguments(file: _File, policy: Path) -> list[str]:
    return ["verify", str(file.path), "--policy", str(policy), "--nonce", file.nonce]


def _words(output: str) -> str:
    """Return the line of the output that says what came of it."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = [line for line in lines if line.startswith(("the receipt ", "error: "))]
    return said[0] if said else (lines or ["nothing was said"])[-1]


def _show_verification(file: _File, policy: Path, words: str, *, is_expected: bool) -> None:
    shown = console()
    command = shlex.join([_program(), *_arguments(file, policy)])
    if not file.holds:
        shown.print(plain("a FALSE answer, changed to say TRUE wherever it says so:"))
    shown.print(plain(f"$ {command}", "dim"), soft_wrap=True)
    style = "green" if file.holds else "magenta"
    shown.print(plain(f"  {words}", style if is_expected else "bold red"), end="")
    shown.print(Text("\n" if is_expected else "  UNEXPECTED\n", "bold red"))


def _program() -> str:
    """Return how this program was called, for a command that can be copied."""
    path = Path(sys.argv[0])
    if path.name != "adyton":
        return f"{Path(sys.executable).name} -m adyton.cli"
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else "adyton"
