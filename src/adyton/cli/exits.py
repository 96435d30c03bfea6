"""From an error to an exit code, one line on stderr, and what to do next.

0 is yes, and 1 is no: FALSE, refused, it does not hold. 2 blames the command: an option, a file
that is malformed, an API key that is not right. 3 is no answer: perhaps later. ``docs/errors.md``
says the same.
"""

import os
import re
from collections.abc import Mapping
from types import TracebackType
from typing import Final

import typer
from rich.text import Text

from adyton.cli.terminal import notes, plain
from adyton.errors import AdytonError, MalformedError, RejectedError, UnavailableError

__all__ = ["NO", "NO_ANSWER", "USAGE", "YES", "exit_code", "report"]

YES: Final = 0
NO: Final = 1
USAGE: Final = 2
NO_ANSWER: Final = 3

# The first entry along an error's class and its bases.
_CODES: Final[Mapping[type[BaseException], int]] = {
    MalformedError: USAGE,
    RejectedError: NO,
    UnavailableError: NO_ANSWER,
    typer.TyperException: USAGE,
}

_SCOPE_CODE: Final = "scope-missing"
# Where the family would say too much: nothing was asked that could have been answered with no.
_EXACT: Final[Mapping[str, int]] = {
    "unauthenticated": USAGE,
    _SCOPE_CODE: USAGE,
    "provider-unknown": USAGE,
    # Perhaps later: an authority may be slow, and stamps are hours apart.
    "stamp-unknown": NO_ANSWER,
}
_USAGE_CODE: Final = "usage"
# A gateway says which scope its key lacks; a word of a stranger's is no more than a word.
_SCOPE: Final = re.compile(r"lacks the scope ([a-z]{1,16})\b")

_NEXT: Final[Mapping[str, str]] = {
    "gateway-unavailable": "is it running? start one with: adyton serve",
    "unauthenticated": "is it a key of this gateway? make one with: adyton keys create --name NAME",
    _SCOPE_CODE: "make a key with that scope: adyton keys create --name NAME --scope SCOPE",
    "worker-rejected": "is this the policy for that worker? see: adyton policy init --help",
    "prover-missing": "see what else is missing with: adyton doctor",
    "store-unavailable": "is DATABASE_URL right, and does the database run?",
    "circuit-not-registered": "leave it with the worker: adyton register-circuit ARTIFACT",
    "nobody-drawn": "see who is there, and why not: adyton registry list",
    "library-missing": "see what else is missing with: adyton doctor",
    "reference-string-missing": "see what else is missing with: adyton doctor",
    "job-lost": "the worker was started anew: try again",
    "openpgp-missing": "where the worker runs: pip install '.[openpgp]' in a checkout",
    "proof-receipt-rejected": "is this the policy for that worker? see: adyton policy init --help",
    "seal-rejected": "perhaps the worker was started anew: ask again",
    "worker-unavailable": "start one with: adyton serve",
    "credential-malformed": "see what a provider takes with: adyton providers show ID",
    "provider-unknown": "see which there are with: adyton providers list",
    "budget-exhausted": "the worker forgets old questions after ADYTON_BUDGET_HOURS",
}


def exit_code(error: BaseException) -> int:
    """Return the exit code for ``error``; what nobody foresaw is no answer, and never a yes."""
    if isinstance(error, AdytonError) and error.code in _EXACT:
        return _EXACT[error.code]
    for parent in type(error).__mro__:
        if parent in _CODES:
            return _CODES[parent]
    return NO_ANSWER


def report(error: BaseException, *, command: str = "adyton") -> int:
    """Print ``error`` as one line, with what to do next where that is known; return its code.

    ``command`` is what was called, for whoever has to look up how.

    ``ADYTON_TRACEBACK=1`` in the environment prints where it came from as well.
    """
    console = notes()
    if isinstance(error, AdytonError):
        # A gateway's errors carry their code in the text already.
        text, mark = str(error), f" ({error.code})"
        text = text if text.endswith(mark) else text + mark
        advice = _advice(error, command)
    elif isinstance(error, typer.TyperException):
        if not (said := error.format_message()):
            # The help was asked for by saying nothing, and is printed.
            return exit_code(error)
        text, advice = f"{_lower(said)} (usage)", f"see: {command} --help"
    else:
        text = (
            f"adyton failed with {type(error).__name__} at {_place(error.__traceback__)} (internal)"
        )
        advice = "this is a fault of ours; please report it with this line"
    # One line even for a message of several.
    line = " ".join(text.split())
    console.print(Text("error: ", style="bold red").append_text(plain(line)), soft_wrap=True)
    if advice:
        console.print(plain(f"  {advice}", "dim"), soft_wrap=True)
    if os.environ.get("ADYTON_TRACEBACK") and not isinstance(error, typer.TyperException):
        console.print_exception()
    return exit_code(error)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")


def _advice(error: AdytonError, command: str) -> str:
    if notes_beside := getattr(error, "__notes__", ()):
        return str(notes_beside[0])
    if error.code == _USAGE_CODE and command != "adyton":
        return f"see: {command} --help"
    if error.code == _SCOPE_CODE and (found := _SCOPE.search(str(error))):
        return f"make a key with it: adyton keys create --name NAME --scope {found[1]}"
    return _NEXT.get(error.code, "")


def _place(traceback: TracebackType | None) -> str:
    place = "?"
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__", "?")
        place = f"{module}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place
