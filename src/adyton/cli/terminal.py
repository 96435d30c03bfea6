"""What is printed: colours for people on a terminal, plain text and JSON for programs."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = [
    "WIDTH",
    "console",
    "counted",
    "notes",
    "plain",
    "print_json",
    "print_whole",
    "progress",
    "table",
]

# Wider is harder to read, and some terminals are no wider.
WIDTH: Final = 100
_WIDEST: Final = 10_000


def console() -> Console:
    """Return where results go: stdout, in colours on a terminal only."""
    return _limited(Console(highlight=False, markup=False, emoji=False))


def notes() -> Console:
    """Return where everything else goes: stderr."""
    return _limited(Console(stderr=True, highlight=False, markup=False, emoji=False))


def plain(text: object, style: str = "") -> Text:
    """Return ``text`` without what would steer a terminal: much of it is a stranger's."""
    shown = "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in str(text)
    )
    return Text(shown, style=style)


def table(*columns: str, indent: int = 0) -> Table:
    """Return a table without lines, whose last column takes what is left of the width."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for number, name in enumerate(columns):
        made.add_column(name, no_wrap=number < len(columns) - 1, overflow="fold")
    if indent:
        made.padding = (0, 2, 0, 0)
    return made


def print_whole(made: Table) -> None:
    """Print ``made`` as wide as it is: a digest in it stays one word, to be copied."""
    out = console()
    out.width = _WIDEST
    out.width = max(out.measure(made).maximum, 1)
    out.print(made)


def print_json(value: Any) -> None:
    """Print ``value`` as JSON, for programs."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # Half a character, which a stranger may have written, has no UTF-8, but JSON has an escape.
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode() + "\n")


@contextmanager
def progress(text: str) -> Iterator[Callable[[str], None]]:
    """Show that something is going on, and for how long, while the block runs.

    Yields what changes the text. On a terminal only: in a log there is nothing to watch.
    """
    shown = notes()
    if not shown.is_terminal:
        yield lambda _text: None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=shown, transient=True) as bar:
        task = bar.add_task(text, total=None)
        yield lambda changed: bar.update(task, description=changed)


@contextmanager
def counted(text: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how much of ``total`` bytes is done while the block runs, on a terminal only."""
    shown = notes()
    if not shown.is_terminal:
        yield lambda _size: None
        return
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=shown, transient=True) as bar:
        task = bar.add_task(text, total=total)
        yield lambda size: bar.advance(task, size)


def _limited(made: Console) -> Console:
    # Not a terminal has no width, unless it was told one: what is read later is as wide as may be.
    told = made.is_terminal or "COLUMNS" in os.environ
    made.width = min(made.width, WIDTH) if told else WIDTH
    return made
