"""How long a process of ours lives: until it is told to end, or whoever started it is gone."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

from adyton.errors import AdytonError

__all__ = ["ENDS_WITH_STDIN", "as_process", "stopped"]

# Set for a process whose standard input is a pipe from the one that started it. Others may have
# anything there, and often what ends at once.
ENDS_WITH_STDIN: Final = "ADYTON_ENDS_WITH_STDIN"
_STDIN: Final = 0


def stopped() -> asyncio.Event:
    """Return an event that is set when this process is told to end.

    1. SIGINT or SIGTERM tells it;
    2. so does the end of the pipe on which nothing is ever sent: a process that was killed has
       closed it without a word, and what it started must not go on without it.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Step 1
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)

    # Step 2: the setting is about this process, and about none that it starts.
    def gone() -> None:
        loop.remove_reader(_STDIN)
        stop.set()

    if os.environ.pop(ENDS_WITH_STDIN, ""):
        loop.add_reader(_STDIN, gone)
    return stop


def as_process(main: Callable[[], None]) -> None:
    """Run ``main``; an error of ours is one line with its code, and no traceback."""
    try:
        main()
    except AdytonError as error:
        sys.exit(f"error: {error} ({error.code})")
