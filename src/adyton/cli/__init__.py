"""The command line: arguments in, exit codes out. What the words mean is in the layers below."""

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``adyton`` with ``arguments`` (the process's own where ``None``) and exit."""
    # Here and not above: whoever imports a module of this package does not want all commands.
    from adyton.cli.app import run  # noqa: PLC0415

    sys.exit(run(arguments))
