"""Compiles the solver into a private folder: ``python -m adyton.adapters.acvm SOLVER FOLDER``."""

import sys
from pathlib import Path

from adyton.adapters.acvm.modules import compile_into

if __name__ == "__main__":
    compile_into(Path(sys.argv[1]), Path(sys.argv[2]))
