"""A prover that misbehaves, played by a script: what it does is an error, and never a wait."""

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from adyton.adapters.barretenberg import (
    BlockingBarretenberg,
    ProverCrashedError,
    ProverFailedError,
    ProverRefusedError,
    ProverTimeoutError,
    WarmVerifier,
)
from adyton.errors import UnavailableError

KEY = Path(__file__).parents[3].joinpath("circuits/balance_threshold/verification_key").read_bytes()
# Long enough for a busy machine; only what hangs has to be waited for.
DEADLINE = timedelta(seconds=30)
SHORT = timedelta(seconds=1)

# Reads one request after the other, and does ``BEHAVIOUR`` about each.
SCRIPT = """
import msgpack, os, sys, time

def read(size):
    data = b""
    while len(data) < size:
        part = os.read(0, size - len(data))
        if not part:
            sys.exit(0)
        data += part
    return data

def write(data):
    while data:
        data = data[os.write(1, data):]

def answer(name, **fields):
    body = msgpack.packb([name, fields])
    write(len(body).to_bytes(4, "little") + body)

while True:
    read(int.from_bytes(read(4), "little"))
    BEHAVIOUR
"""

HASH = "answer('Poseidon2HashResponse', hash=bytes(32))"
BAD = [
    ("time.sleep(60)", ProverTimeoutError),
    ("write(bytes(2)); time.sleep(60)", ProverTimeoutError),
    ("write(b'\\x20\\0\\0\\0' + bytes(31)); time.sleep(60)", ProverTimeoutError),
    ("sys.exit(3)", ProverCrashedError),
    ("write(bytes(2)); sys.exit(3)", ProverCrashedError),
    ("write(b'\\x20\\0\\0\\0' + bytes(31)); sys.exit(3)", ProverCrashedError),
    ("os.abort()", ProverCrashedError),
    ("write(b'\\xff' * 4)", ProverFailedError),
    ("write(bytes(4))", ProverFailedError),
    ("write(b'\\4\\0\\0\\0abcd')", ProverFailedError),
    ("answer('CircuitVerifyResponse', verified=True)", ProverFailedError),
    ("answer('Poseidon2HashResponse')", ProverFailedError),
    ("answer('Poseidon2HashResponse', hash=b'\\xff' * 32)", ProverFailedError),
]

Program = Callable[[str], Path]


def deadline_for(error: type[UnavailableError]) -> timedelta:
    return SHORT if error is ProverTimeoutError else DEADLINE


@pytest.fixture
def program(tmp_path: Path) -> Program:
    def write(behaviour: str) -> Path:
        path = tmp_path / "bb"
        # Its modules are found without any help from the environment: it has none.
        lines = [f"#!{sys.executable}", f"import sys; sys.path[:0] = {sys.path!r}"]
        path.write_text("\n".join(lines) + dedent(SCRIPT).replace("BEHAVIOUR", behaviour))
        path.chmod(0o755)
        return path

    return write


@pytest.mark.parametrize(("behaviour", "error"), BAD)
def test_a_bad_prover_is_an_error_and_stays_dead(
    program: Program, tmp_path: Path, behaviour: str, error: type[UnavailableError]
) -> None:
    with BlockingBarretenberg.start(
        program(behaviour), reference_string=tmp_path, threads=1, deadline=deadline_for(error)
    ) as bb:
        with pytest.raises(error):
            bb.poseidon2([1])
        assert not bb.is_alive
        with pytest.raises(ProverCrashedError):
            bb.poseidon2([1])


def test_a_prover_that_reads_nothing_is_not_waited_for(program: Program, tmp_path: Path) -> None:
    path = program("pass")
    path.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    with (
        BlockingBarretenberg.start(
            path, reference_string=tmp_path, threads=1, deadline=SHORT
        ) as bb,
        pytest.raises(ProverTimeoutError),
    ):
        # More than a socket takes without a reader.
        bb.compute_key(bytes(16 * 1024 * 1024))


def test_an_error_of_the_prover_is_an_answer_and_is_not_repeated(
    program: Program, tmp_path: Path
) -> None:
    path = program("answer('ErrorResponse', message='the witness was 4711')")
    with BlockingBarretenberg.start(
        path, reference_string=tmp_path, threads=1, deadline=DEADLINE
    ) as bb:
        for _ in range(2):
            with pytest.raises(ProverRefusedError) as caught:
                bb.poseidon2([1])
            assert "4711" not in str(caught.value)
        assert bb.is_alive


@pytest.mark.parametrize(("behaviour", "error"), [BAD[3], BAD[6], BAD[7], BAD[8]])
def test_a_verifier_that_a_proof_brings_down_says_neither_yes_nor_no(
    program: Program, tmp_path: Path, behaviour: str, error: type[UnavailableError]
) -> None:
    verifier = WarmVerifier(program(behaviour), reference_string=tmp_path, deadline=DEADLINE)
    with pytest.raises(error):
        verifier.verify(verification_key=KEY, public_inputs=tuple(range(9)), proof=bytes(32))
    # The next proof is not held against the one before.
    program("answer('CircuitVerifyResponse', verified=True)")
    assert verifier.verify(verification_key=KEY, public_inputs=tuple(range(9)), proof=bytes(32))
    verifier.close()


def test_a_good_prover_passes_the_same_tests(program: Program, tmp_path: Path) -> None:
    with BlockingBarretenberg.start(
        program(HASH), reference_string=tmp_path, threads=1, deadline=DEADLINE
    ) as bb:
        assert bb.poseidon2([1]) == 0
        assert bb.poseidon2([1]) == 0
