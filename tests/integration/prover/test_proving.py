import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.prover.conftest import DEADLINE, balance_inputs, bytecode_of

from adyton.adapters.acvm import Acvm, Program
from adyton.adapters.barretenberg import (
    BlockingBarretenberg,
    CircuitStats,
    OracleHash,
    Proof,
    ProofSettings,
    ProverCpuExceededError,
    ProverCrashedError,
    ProverMemoryExceededError,
    ProverRefusedError,
    ProverTimeoutError,
    ServerLimits,
    VerificationKey,
    WarmVerifier,
)
from adyton.adapters.reference_string import (
    ReferenceString,
    ReferenceStringMissingError,
    check_points,
    download_points,
    verification_string,
)
from adyton.crypto.hashing import FIELD_MODULUS

POSEIDON2 = ProofSettings(oracle_hash=OracleHash.POSEIDON2)


@pytest.fixture(scope="module")
def one_point(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return verification_string(tmp_path_factory.mktemp("verification") / "one")


@pytest.fixture(scope="module")
def verifier(bb_path: Path, one_point: Path) -> Iterator[WarmVerifier]:
    running = WarmVerifier(bb_path, reference_string=one_point, deadline=DEADLINE)
    yield running
    running.close()


def flipped(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data) ^ 1 << bit % (8 * len(data))).to_bytes(len(data))


def keep_busy(bb: BlockingBarretenberg, program: Program) -> None:
    while True:
        bb.compute_key(program.acir)


@pytest.mark.parametrize("lower", [100_00, 300_00])
def test_true_and_false_are_both_proven(
    bb: BlockingBarretenberg, acvm: Acvm, balance: Program, balance_key: bytes, lower: int
) -> None:
    witness = acvm.execute(balance.bytecode, balance_inputs(lower=lower))
    proof = bb.prove(balance.acir, key=balance_key, witness=witness.to_bytes())
    assert proof.public_inputs == witness.select(balance.public_inputs)
    assert proof.public_inputs[-1] == (lower <= 250_00)
    assert bb.verify(balance_key, public_inputs=proof.public_inputs, proof=proof.proof)


def test_the_other_hash_has_keys_and_proofs_of_its_own(
    bb: BlockingBarretenberg, acvm: Acvm, balance: Program, balance_proof: Proof
) -> None:
    key = bb.compute_key(balance.acir, POSEIDON2)
    assert VerificationKey.from_bytes(key).oracle_hash is OracleHash.POSEIDON2
    witness = acvm.execute(balance.bytecode, balance_inputs()).to_bytes()
    proof = bb.prove(balance.acir, key=key, witness=witness, settings=POSEIDON2)
    public = proof.public_inputs
    assert bb.verify(key, public_inputs=public, proof=proof.proof, settings=POSEIDON2)
    assert not bb.verify(key, public_inputs=public, proof=balance_proof.proof, settings=POSEIDON2)
    assert not bb.verify(key, public_inputs=public, proof=proof.proof)


def test_the_committed_key_is_the_circuits_key(
    bb: BlockingBarretenberg, balance: Program, balance_key: bytes
) -> None:
    assert bb.compute_key(balance.acir) == balance_key
    key = VerificationKey.from_bytes(balance_key)
    assert key.public_inputs == len(balance.public_inputs)
    stats = bb.stats(balance.acir)
    assert stats == CircuitStats(
        gates=stats.gates, padded_gates=1 << key.log_size, opcodes=stats.opcodes
    )
    assert stats.padded_gates // 2 < stats.gates <= stats.padded_gates


def test_poseidon2_is_that_of_noir(bb: BlockingBarretenberg) -> None:
    # Noir's standard library, poseidon2::Poseidon2::hash([1, 2], 2).
    expected = 0x038682AA1CB5AE4E0A3F13DA432A95C77C5C111F6F030FAF9CAD641CE1ED7383
    assert bb.poseidon2([1, 2]) == expected


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(part=st.sampled_from(["key", "proof", "public_inputs"]), bit=st.integers(0, 2**20))
def test_no_flipped_bit_is_accepted(
    verifier: WarmVerifier, balance_key: bytes, balance_proof: Proof, part: str, bit: int
) -> None:
    key, proof, public = balance_key, balance_proof.proof, balance_proof.public_inputs
    if part == "key":
        key = flipped(key, bit)
    elif part == "proof":
        proof = flipped(proof, bit)
    else:
        data = flipped(b"".join(value.to_bytes(32) for value in public), bit)
        public = tuple(int.from_bytes(data[at : at + 32]) for at in range(0, len(data), 32))
    assert not verifier.verify(verification_key=key, public_inputs=public, proof=proof)


@pytest.mark.parametrize("word", [0, 1, 2])
@pytest.mark.parametrize("bit", [64, 128, 255])
def test_a_high_bit_flipped_in_a_keys_numbers_is_not_overlooked(
    verifier: WarmVerifier, balance_key: bytes, balance_proof: Proof, word: int, bit: int
) -> None:
    # Barretenberg by itself reads these numbers modulo 2^64, and would verify.
    at = 32 * word
    number = int.from_bytes(balance_key[at : at + 32]) ^ 1 << bit
    key = balance_key[:at] + number.to_bytes(32) + balance_key[at + 32 :]
    assert not verifier.verify(
        verification_key=key,
        public_inputs=balance_proof.public_inputs,
        proof=balance_proof.proof,
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda proof: replace(proof, proof=b""),
        lambda proof: replace(proof, proof=proof.proof[:-32]),
        lambda proof: replace(proof, proof=proof.proof + bytes(32)),
        lambda proof: replace(proof, proof=bytes(len(proof.proof))),
        lambda proof: replace(proof, proof=b"\xff" * len(proof.proof)),
        lambda proof: replace(proof, public_inputs=()),
        lambda proof: replace(proof, public_inputs=proof.public_inputs[:-1]),
        lambda proof: replace(proof, public_inputs=(*proof.public_inputs, 0)),
        lambda proof: replace(
            proof,
            public_inputs=(proof.public_inputs[0] + FIELD_MODULUS, *proof.public_inputs[1:]),
        ),
        lambda proof: replace(proof, public_inputs=(*proof.public_inputs[:-1], 0)),
    ],
)
def test_a_broken_proof_is_a_no(
    verifier: WarmVerifier, balance_key: bytes, balance_proof: Proof, change: object
) -> None:
    assert callable(change)
    broken = change(balance_proof)
    assert not verifier.verify(
        verification_key=balance_key, public_inputs=broken.public_inputs, proof=broken.proof
    )
    assert verifier.verify(
        verification_key=balance_key,
        public_inputs=balance_proof.public_inputs,
        proof=balance_proof.proof,
    )


def test_a_key_of_another_circuit_is_a_no(verifier: WarmVerifier, balance_proof: Proof) -> None:
    root = Path(__file__).parents[3]
    other = (root / "circuits/credit_score/verification_key").read_bytes()
    assert not verifier.verify(
        verification_key=other,
        public_inputs=balance_proof.public_inputs,
        proof=balance_proof.proof,
    )


def test_what_cannot_be_proven_is_refused_and_the_prover_lives(
    bb: BlockingBarretenberg, balance: Program, balance_key: bytes
) -> None:
    with pytest.raises(ProverRefusedError):
        bb.prove(b"garbage", key=balance_key, witness=b"garbage")
    with pytest.raises(ProverRefusedError):
        bb.prove(balance.acir, key=balance_key, witness=b"garbage")
    with pytest.raises(ProverRefusedError):
        bb.prove(balance.acir, key=balance_key[:-1], witness=b"\x03\x90")
    assert bb.is_alive
    assert bb.poseidon2([1])


def test_a_prover_killed_while_it_proves_is_an_error_and_stays_dead(
    bb: BlockingBarretenberg, acvm: Acvm
) -> None:
    program = Program.from_bytecode(bytecode_of("transaction_pattern"))
    timer = threading.Timer(0.1, os.kill, (bb.pid, signal.SIGKILL))
    timer.start()
    with pytest.raises(ProverCrashedError) as caught:
        keep_busy(bb, program)
    timer.join()
    assert caught.value.exit_code == -signal.SIGKILL
    assert not bb.is_alive
    with pytest.raises(ProverCrashedError):
        bb.poseidon2([1])


def test_a_proof_that_takes_too_long_ends_the_prover(
    bb_path: Path, reference_string: Path, balance: Program
) -> None:
    with BlockingBarretenberg.start(
        bb_path,
        reference_string=reference_string,
        threads=1,
        deadline=timedelta(milliseconds=5),
    ) as bb:
        with pytest.raises(ProverTimeoutError) as caught:
            bb.compute_key(balance.acir)
        assert caught.value.command == "CircuitComputeVk"
        assert not Path(f"/proc/{bb.pid}").exists()


def test_a_verifier_that_was_killed_is_replaced(
    bb_path: Path, one_point: Path, balance_key: bytes, balance_proof: Proof
) -> None:
    verifier = WarmVerifier(bb_path, reference_string=one_point, deadline=DEADLINE)
    pids = set()
    for _ in range(2):
        assert verifier.verify(
            verification_key=balance_key,
            public_inputs=balance_proof.public_inputs,
            proof=balance_proof.proof,
        )
        assert verifier._process is not None
        pids.add(verifier._process.pid)
        os.kill(verifier._process.pid, signal.SIGKILL)
    verifier.close()
    assert len(pids) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_the_prover_knows_little_and_leaves_no_core(
    bb_path: Path, reference_string: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADYTON_SECRET", "marker")
    limits = ServerLimits(cpu_seconds=50, address_space_bytes=2**32, data_bytes=2**31, file_bytes=0)
    with BlockingBarretenberg.start(
        bb_path, reference_string=reference_string, threads=1, deadline=DEADLINE, limits=limits
    ) as bb:
        assert bb.poseidon2([1])
        process = Path("/proc") / str(bb.pid)
        environ = process.joinpath("environ").read_bytes().rstrip(b"\0").split(b"\0")
        assert {entry.partition(b"=")[0] for entry in environ} == {
            b"CRS_PATH",
            b"HARDWARE_CONCURRENCY",
            b"HOME",
        }
        bounds = process.joinpath("limits").read_text()
        for name, bound in (
            ("core file size", 0),
            ("cpu time", 50),
            ("address space", 2**32),
            ("data size", 2**31),
            ("file size", 0),
        ):
            (line,) = (row for row in bounds.splitlines() if row.startswith(f"Max {name}"))
            assert line.split()[-3] == str(bound)
        assert process.joinpath("fd/2").readlink() == Path("/dev/null")


@pytest.mark.skipif(sys.platform != "linux", reason="it looks into /proc")
def test_the_prover_does_not_outlive_its_parent(bb_path: Path, reference_string: Path) -> None:
    script = """
import sys, time
from datetime import timedelta
from pathlib import Path
from adyton.adapters.barretenberg import BlockingBarretenberg
bb = BlockingBarretenberg.start(Path(sys.argv[1]), reference_string=Path(sys.argv[2]), threads=1,
                                deadline=timedelta(seconds=9))
bb.poseidon2([1])
print(bb.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, bb_path, reference_string], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        prover = Path("/proc") / str(int(parent.stdout.readline()))
        assert prover.exists()
        parent.kill()
    until = time.monotonic() + 10
    while prover.exists() and b"Z" not in prover.joinpath("stat").read_bytes().split()[2]:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_the_points_that_a_circuit_takes_are_enough(
    bb_path: Path, reference_string: Path, tmp_path: Path, acvm: Acvm, balance: Program
) -> None:
    gates = 4096
    with (reference_string / "bn254_g1.dat").open("rb") as file:
        (tmp_path / "bn254_g1.dat").write_bytes(file.read(64 * gates))
    check_points(ReferenceString(folder=tmp_path, points=gates), gates=gates)
    witness = acvm.execute(balance.bytecode, balance_inputs()).to_bytes()
    with BlockingBarretenberg.start(
        bb_path, reference_string=tmp_path, threads=2, deadline=DEADLINE
    ) as bb:
        assert bb.stats(balance.acir).padded_gates == gates
        key = bb.compute_key(balance.acir)
        proof = bb.prove(balance.acir, key=key, witness=witness)
        assert bb.verify(key, public_inputs=proof.public_inputs, proof=proof.proof)


def test_points_that_cannot_be_downloaded_are_reported(
    bb: BlockingBarretenberg, tmp_path: Path
) -> None:
    missing = ReferenceString(folder=tmp_path, points=0)
    # The same answer as without a network, at once: this is no circuit.
    with pytest.raises(ReferenceStringMissingError):
        download_points(bb, missing, acir=b"garbage", gates=4096)
    assert bb.is_alive


def test_what_is_no_prover_cannot_be_started(tmp_path: Path) -> None:
    for binary in (tmp_path / "missing", tmp_path):
        with pytest.raises(ProverCrashedError, match="could not be started"):
            BlockingBarretenberg.start(
                binary, reference_string=tmp_path, threads=1, deadline=DEADLINE
            )


def test_a_prover_that_computes_too_long_is_ended_and_says_so(
    bb: BlockingBarretenberg, balance: Program
) -> None:
    bb.restrict(ServerLimits(cpu_seconds=1), deadline=DEADLINE)
    with pytest.raises(ProverCpuExceededError):
        keep_busy(bb, balance)
    assert not bb.is_alive


def test_a_prover_that_takes_too_much_memory_is_ended_and_says_so(
    bb: BlockingBarretenberg,
) -> None:
    large = Program.from_bytecode(bytecode_of("transaction_pattern"))
    bb.restrict(ServerLimits(data_bytes=16 * 1024 * 1024), deadline=DEADLINE)
    with pytest.raises(ProverMemoryExceededError):
        bb.compute_key(large.acir)
    assert not bb.is_alive


def test_a_deadline_can_be_set_for_what_comes(bb: BlockingBarretenberg, balance: Program) -> None:
    bb.restrict(ServerLimits(), deadline=timedelta(milliseconds=1))
    with pytest.raises(ProverTimeoutError):
        bb.compute_key(balance.acir)
