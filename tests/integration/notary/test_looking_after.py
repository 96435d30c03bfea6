"""``adyton log hammer`` and ``adyton log fsck``, as users run them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.notarized import NotarizedGateway

ADYTON = (sys.executable, "-m", "adyton.cli")


@pytest.fixture(scope="module")
def stack() -> Iterator[NotarizedGateway]:
    """A ledger that was hammered, with its notary still running."""
    with NotarizedGateway() as stack:
        yield stack


def adyton(stack: NotarizedGateway, *arguments: str, **environ: str) -> tuple[int, Any]:
    """Return the exit code of a command, and the JSON that it printed."""
    done = subprocess.run(
        [*ADYTON, *arguments, "--json"],
        env={**stack.environ, "ADYTON_API_KEY": stack.key, **environ},
        capture_output=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout or b"null")


def fsck(stack: NotarizedGateway) -> tuple[int, dict[str, bool]]:
    code, shown = adyton(stack, "log", "fsck")
    return code, {item["part"]: item["good"] for item in shown["findings"]}


def test_a_hammered_ledger_is_found_whole_while_its_notary_runs(stack: NotarizedGateway) -> None:
    code, figures = adyton(
        stack, "log", "hammer", "--url", stack.url, "--seconds", "1.5", "--digests", "3"
    )
    assert code == 0
    assert figures["proofs"] > 30
    assert figures["readings"] > 0
    assert figures["tries_again"] == 0
    good = dict.fromkeys(("journal", "anchor", "sealed state", "index"), True)
    assert fsck(stack) == (0, good)


@pytest.mark.parametrize(
    ("name", "part"),
    [("journal", "journal"), ("sealed", "sealed state"), ("nodes/level-00", "index")],
    ids=["journal", "sealed", "nodes"],
)
def test_a_flipped_bit_is_found(name: str, part: str, stack: NotarizedGateway) -> None:
    path: Path = stack.state / "ledger" / name
    whole = path.read_bytes()
    broken = bytearray(whole)
    broken[100] ^= 1
    path.write_bytes(broken)
    try:
        code, found = fsck(stack)
        assert code == 1
        assert found[part] is False
    finally:
        path.write_bytes(whole)


def test_a_ledger_that_is_not_there_is_no_answer(stack: NotarizedGateway, tmp_path: Path) -> None:
    code, _ = adyton(stack, "log", "fsck", ADYTON_LEDGER_DIR=str(tmp_path))
    assert code == 3


def test_a_hammer_without_a_key_is_told(stack: NotarizedGateway) -> None:
    done = subprocess.run(
        [*ADYTON, "log", "hammer", "--url", stack.url, "--seconds", "1"],
        env={**stack.environ, "ADYTON_API_KEY": "adk_0000000000000000_" + "0" * 64},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"answered 401" in done.stderr
