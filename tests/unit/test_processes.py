"""What each process has loaded once it is there: nothing heavy that it may never use."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

# What serves HTTP, and keeps what was served.
SERVING = frozenset({"fastapi", "pydantic", "sqlalchemy", "starlette", "uvicorn"})
# What reads the data of sources, and documents that are signed XML.
READING = frozenset({"jsonpath", "lxml", "re2"})
# What few use: expressions in policies, time stamps, clients of others.
RARE = frozenset({"boto3", "cel", "fastapi", "httpx", "mcp", "prompt_toolkit", "rfc3161_client"})
PATHS = frozenset({"adyton.flow.pipeline", "adyton.sources", "adyton.verification.pipeline"})
PEOPLE = frozenset({"rich", "typer"})

WITHOUT = {
    "adyton.cli.app": RARE | SERVING | READING | PATHS | {"cryptography", "wasmtime", "yaml"},
    "adyton.gateway.server": RARE | READING | PATHS | PEOPLE | {"wasmtime"},
    "adyton.cli.serving": RARE | READING | PATHS | {"wasmtime"},
    "adyton.cli.running": RARE | READING | PATHS | {"wasmtime"},
    "adyton.notary.server": RARE | SERVING | READING | PATHS | PEOPLE | {"asyncpg", "wasmtime"},
    "adyton.worker.server": RARE | SERVING | PEOPLE | {"wasmtime"},
    "adyton.worker.template_main": RARE | SERVING | PEOPLE | {"adyton.verification.pipeline"},
    "adyton.adapters.evidence_process": RARE | SERVING | PEOPLE | {"wasmtime"},
}


@pytest.mark.parametrize("program", WITHOUT)
def test_a_process_loads_nothing_heavy_that_it_may_never_use(program: str) -> None:
    code = f"import sys, {program}; print(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    loaded = set(found.stdout.split())
    assert program in loaded
    assert sorted(loaded & WITHOUT[program]) == []


def test_a_name_that_is_looked_for_is_one() -> None:
    # A module that was renamed would never be found.
    assert all(find_spec(name) for name in PATHS | READING | RARE | SERVING | PEOPLE)
