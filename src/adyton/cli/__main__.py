"""``python -m adyton.cli`` is ``adyton``."""

from adyton.cli import main

main()
