import base64
import gzip
import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgpack
import pytest
from tests.fakes.workshop import circuits
from tests.integration.prover.conftest import NODE_MODULES, balance_inputs, bytecode_of

from adyton.adapters.acvm import (
    Acvm,
    BytecodeMalformedError,
    Program,
    SolverBudgetError,
    SolverFailedError,
    SolverLimits,
    WitnessUnsatisfiedError,
)
from adyton.crypto.hashing import FIELD_MODULUS
from adyton.errors import AdytonError

# Solves a program with the same package under Node, its own home, and prints the witness.
NODE_SCRIPT = """
const { executeProgram, compressWitnessStack } = require('@noir-lang/acvm_js');
const { gunzipSync } = require('node:zlib');
const { bytecode, inputs } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const noOracle = async () => { throw new Error('no oracle'); };
executeProgram(Buffer.from(bytecode, 'base64'), new Map(inputs), noOracle).then((stack) => {
  process.stdout.write(gunzipSync(compressWitnessStack(stack)).toString('base64'));
});
"""


def edited(program: Program, **changes: Any) -> bytes:
    """Return a program's bytecode with its opcodes or its helpers replaced."""
    functions, helpers = msgpack.unpackb(program.acir[1:], strict_map_key=False)
    functions[0][1] = changes.get("opcodes", functions[0][1])
    return gzip.compress(b"\x03" + msgpack.packb([functions, changes.get("helpers", helpers)]))


def endless(program: Program) -> bytes:
    """Return a program whose helper jumps to itself, and which calls it first."""
    call: dict[str, Any] = {"BrilligCall": [0, [], [], [[], [], bytes(31) + b"\x01"]]}
    return edited(program, opcodes=[call], helpers=[["loop", [{"Jump": [0]}]]])


@pytest.mark.parametrize("lower", [100_00, 300_00])
def test_the_answer_is_the_last_public_input(acvm: Acvm, balance: Program, lower: int) -> None:
    inputs = balance_inputs(balances=(250_00, 7), lower=lower)
    public = acvm.execute(balance.bytecode, inputs).select(balance.public_inputs)
    assert public[:7] == tuple(inputs[index] for index in range(7))
    assert public[-1] == (lower <= 250_00)


def test_inputs_are_part_of_the_witness(acvm: Acvm, balance: Program) -> None:
    inputs = balance_inputs(balances=(1, 2, 3))
    values = acvm.execute(balance.bytecode, inputs).values
    assert {index: values[index] for index in inputs} == inputs


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("circuit", ["balance_threshold", "credit_score"])
def test_the_witness_is_byte_for_byte_what_node_makes(acvm: Acvm, circuit: str) -> None:
    program = Program.from_bytecode(bytecode_of(circuit))
    parameters = program.private_parameters + program.public_parameters
    inputs = balance_inputs() if circuit == "balance_threshold" else dict.fromkeys(parameters, 5)
    request = {
        "bytecode": base64.b64encode(program.bytecode).decode(),
        "inputs": [[index, f"0x{value:064x}"] for index, value in inputs.items()],
    }
    answer = subprocess.run(
        ["node", "-e", NODE_SCRIPT],
        input=json.dumps(request).encode(),
        cwd=NODE_MODULES.parent,
        capture_output=True,
        check=True,
    )
    witness = acvm.execute(program.bytecode, inputs)
    assert witness.to_bytes() == base64.b64decode(answer.stdout)


def test_the_largest_circuit_has_room(acvm: Acvm) -> None:
    program = Program.from_bytecode(bytecode_of("transaction_pattern"))
    inputs = dict.fromkeys(program.private_parameters + program.public_parameters, 0)
    labels = circuits()["transaction_pattern"].abi.public_labels()
    inputs[labels.index("minimum_credit")] = 1  # the smallest that counts: zero is refused
    witness = acvm.execute(program.bytecode, inputs)
    assert witness.select(program.returned)[-1] == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {8: 17},  # more accounts than there is room for
        {9: 2**64},  # a balance wider than its type
        {10: 5},  # a balance behind the last account
    ],
)
def test_inputs_that_break_the_circuit_are_rejected(
    acvm: Acvm, balance: Program, wrong: dict[int, int]
) -> None:
    with pytest.raises(WitnessUnsatisfiedError):
        acvm.execute(balance.bytecode, balance_inputs() | wrong)


def test_a_missing_input_is_rejected(acvm: Acvm, balance: Program) -> None:
    inputs = balance_inputs()
    del inputs[9]
    with pytest.raises(WitnessUnsatisfiedError):
        acvm.execute(balance.bytecode, inputs)


@pytest.mark.parametrize(
    "wrong", [{9: FIELD_MODULUS}, {9: -1}, {-1: 0}, {2**32: 0}], ids=["r", "-1", "index", "wide"]
)
def test_what_is_no_field_element_is_the_callers_mistake(
    acvm: Acvm, balance: Program, wrong: dict[int, int]
) -> None:
    with pytest.raises(ValueError, match="not a"):
        acvm.execute(balance.bytecode, balance_inputs() | wrong)


@pytest.mark.parametrize(
    "bytecode",
    [b"", b"garbage", gzip.compress(b""), gzip.compress(b"\x03garbage")],
    ids=["empty", "garbage", "empty gzip", "garbage in gzip"],
)
def test_garbage_is_malformed(acvm: Acvm, bytecode: bytes) -> None:
    with pytest.raises(BytecodeMalformedError):
        acvm.execute(bytecode, balance_inputs())


def test_a_cut_program_is_malformed(acvm: Acvm, balance: Program) -> None:
    with pytest.raises(BytecodeMalformedError):
        acvm.execute(balance.bytecode[:-100], balance_inputs())


def test_a_panic_of_the_solver_is_no_answer(acvm: Acvm) -> None:
    # A program without a function: the solver takes the first one without looking.
    with pytest.raises(SolverFailedError):
        acvm.execute(gzip.compress(b"\x03" + msgpack.packb([[], []])), {})


def test_a_call_out_of_the_program_is_no_answer(acvm: Acvm, balance: Program) -> None:
    helper = ["oracle", [{"ForeignCall": ["steal", [], [], [], []]}]]
    call: dict[str, Any] = {"BrilligCall": [0, [], [], [[], [], bytes(31) + b"\x01"]]}
    with pytest.raises(SolverFailedError):
        acvm.execute(edited(balance, opcodes=[call], helpers=[helper]), balance_inputs())


def test_an_endless_program_is_stopped(solver_path: Path, balance: Program, acvm: Acvm) -> None:
    bounded = Acvm(acvm._modules, SolverLimits(fuel=200_000_000))
    with pytest.raises(SolverBudgetError) as caught:
        bounded.execute(endless(balance), balance_inputs())
    assert caught.value.fuel == 200_000_000


def test_memory_has_a_limit(acvm: Acvm, balance: Program) -> None:
    bounded = Acvm(acvm._modules, SolverLimits(memory_bytes=2_000_000))
    with pytest.raises(SolverFailedError):
        bounded.execute(balance.bytecode, balance_inputs())


def test_no_instance_starts_below_its_smallest_memory(acvm: Acvm) -> None:
    with pytest.raises(SolverFailedError):
        Acvm(acvm._modules, SolverLimits(memory_bytes=65_536)).prepare()


def test_no_error_holds_a_private_value(acvm: Acvm, balance: Program) -> None:
    marker = 0xC0FFEE_C0FFEE_C0FFEE
    for bytecode in (balance.bytecode, b"garbage", edited(balance, helpers=[])):
        with pytest.raises(AdytonError) as caught:
            acvm.execute(bytecode, balance_inputs(balances=(marker,)))
        error: BaseException | None = caught.value
        while error is not None:
            assert "c0ffee" not in str(error).lower()
            assert str(marker) not in str(error)
            error = error.__cause__


def test_an_instance_is_used_once(acvm: Acvm, balance: Program) -> None:
    execution = acvm.prepare()
    execution.execute(balance.bytecode, balance_inputs())
    with pytest.raises(RuntimeError):
        execution.execute(balance.bytecode, balance_inputs())


def test_threads_share_the_compiled_solver(acvm: Acvm, balance: Program) -> None:
    def answer(lower: int) -> int:
        witness = acvm.execute(balance.bytecode, balance_inputs(lower=lower))
        return witness.select(balance.public_inputs)[-1]

    lowers = [100_00, 300_00] * 4
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(answer, lowers)) == [1, 0] * 4


# Another test may have left the compiler's threads behind; the children need none of them.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("prepared", [False, True])
def test_forked_children_execute_with_what_their_parent_loaded(
    acvm: Acvm, balance: Program, *, prepared: bool
) -> None:
    expected = acvm.execute(balance.bytecode, balance_inputs()).to_bytes()
    for _ in range(3):
        ahead = acvm.prepare() if prepared else None
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                execution = ahead or acvm.prepare()
                witness = execution.execute(balance.bytecode, balance_inputs())
                os.write(writer, witness.to_bytes())
                # A trap is a signal, whose handling must have survived the fork too.
                acvm.execute(gzip.compress(b"\x03" + msgpack.packb([[], []])), {})
            except SolverFailedError:
                os._exit(0)
            finally:
                os._exit(1)
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            assert pipe.read() == expected
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_solver_is_compiled_once_by_a_process_of_its_own(
    solver_path: Path, balance: Program, tmp_path: Path
) -> None:
    for _ in range(2):
        solver = Acvm.from_file(solver_path, tmp_path / "cache")
        assert len(solver.execute(balance.bytecode, balance_inputs())) > len(balance_inputs())
        kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
        assert len(kept) == 3
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_the_solver_works_where_nothing_can_be_kept(
    solver_path: Path, balance: Program, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    solver = Acvm.from_file(solver_path, tmp_path / "file" / "cache")
    assert solver.execute(balance.bytecode, balance_inputs()).select(balance.public_inputs)[-1] == 1
