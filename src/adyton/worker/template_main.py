"""Started by the worker as ``python -m adyton.worker.template_main SOCKET``."""

import functools
import os
import socket
import sys

from adyton.worker import cell, template
from adyton.worker.loading import load_tools
from adyton.worker.settings import WorkerSettings


def main() -> None:
    """Load everything, then fork a cell whenever the worker asks for one."""
    settings = WorkerSettings.from_environ(os.environ)
    tools = load_tools(settings, os.environ)
    control = socket.socket(fileno=int(sys.argv[-1]))
    template.run(control, functools.partial(cell.serve, tools=tools))


if __name__ == "__main__":
    main()
