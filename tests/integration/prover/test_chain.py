"""Chains of circuits: the commands and the proof's form, against a script; and the real ``bb``."""

import gzip
import tracemalloc
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.fakes.chonk import KEY, write_chonk
from tests.integration.prover.conftest import DEADLINE, balance_inputs

from adyton.adapters.acvm import Acvm, Program
from adyton.adapters.barretenberg import (
    BlockingBarretenberg,
    Chain,
    ProverCrashedError,
    ProverRefusedError,
    StepsMalformedError,
)


def step(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "bytecode": gzip.compress(b"program %d" % number),
        "witness": gzip.compress(b"witness %d" % number),
        "vk": b"key %d" % number,
        "functionName": f"f{number}",
        **changes,
    }


def packed(*steps: Any) -> bytes:
    data: bytes = msgpack.packb(list(steps))
    return data


FOUR = packed(*map(step, range(4)))


@pytest.fixture
def script(tmp_path: Path) -> BlockingBarretenberg:
    return BlockingBarretenberg.start(
        write_chonk(tmp_path / "bb"), reference_string=tmp_path, threads=1, deadline=DEADLINE
    )


def test_a_chain_is_proven_step_by_step_and_its_proof_has_aztecs_form(
    script: BlockingBarretenberg,
) -> None:
    with script as bb:
        proven = bb.prove_chain(Chain.from_bytes(FOUR))
        count, elements = proven.proof[:4], proven.proof[4:]
        assert int.from_bytes(count) * 32 == len(elements) == 5 * 32
        assert proven.key == KEY
        assert bb.verify_chain(proven.proof, key=proven.key)
        # One process proves one chain after the other, and each its own.
        again = bb.prove_chain(Chain.from_bytes(packed(*map(step, range(1, 6)))))
        assert again.proof != proven.proof


@pytest.mark.parametrize(
    "change",
    [
        lambda proof: b"\0\0\0\4" + proof[4:],
        lambda proof: proof[:-1],
        lambda proof: proof + bytes(32),
        lambda proof: proof[:4] + b"\xff" * 32 + proof[36:],
        lambda proof: proof[:4] + bytes(32) + proof[36:],
        lambda _proof: b"",
    ],
    ids=["another count", "cut", "longer", "no field element", "another element", "empty"],
)
def test_a_changed_proof_of_a_chain_does_not_verify(
    script: BlockingBarretenberg, change: Any
) -> None:
    with script as bb:
        proven = bb.prove_chain(Chain.from_bytes(FOUR))
        assert not bb.verify_chain(change(proven.proof), key=KEY)


def test_steps_may_name_their_kind_and_nothing_else() -> None:
    assert len(Chain.from_bytes(packed(*(step(n, kind="app") for n in range(4)))).steps) == 4
    with pytest.raises(StepsMalformedError):
        Chain.from_bytes(packed(*(step(n, other=1) for n in range(4))))


def test_a_chains_digest_is_over_its_programs_in_their_order() -> None:
    programs = [sha256(b"program %d" % number).digest() for number in range(4)]
    assert Chain.from_bytes(FOUR).digest() == sha256(b"".join(programs)).digest()
    turned = Chain.from_bytes(packed(*map(step, (1, 0, 2, 3))))
    assert turned.digest() != Chain.from_bytes(FOUR).digest()
    # Which witness it was, and how a program was compressed, is nothing that a statement says.
    other = packed(
        *(
            step(n, bytecode=gzip.compress(b"program %d" % n, 1), witness=gzip.compress(b"another"))
            for n in range(4)
        )
    )
    assert Chain.from_bytes(other).digest() == Chain.from_bytes(FOUR).digest()


@pytest.mark.parametrize(
    "changed",
    [{"bytecode": b"none"}, {"witness": gzip.compress(b"x") + b"y"}, {"witness": b""}],
    ids=["bytecode not in gzip", "witness with a tail", "no witness"],
)
def test_a_step_that_cannot_be_unpacked_is_malformed(
    script: BlockingBarretenberg, changed: dict[str, Any]
) -> None:
    chain = Chain.from_bytes(packed(step(0), step(1), step(2), step(3, **changed)))
    with script as bb, pytest.raises(StepsMalformedError):
        bb.prove_chain(chain)


def test_steps_that_would_grow_seventyfold_in_memory_are_refused_at_the_first_one() -> None:
    header = b"\xdc\x01\x00"
    for hollow in (b"\x80", b"\x90"):
        steps = header + 256 * (header + 256 * hollow)
        tracemalloc.start()
        try:
            with pytest.raises(StepsMalformedError):
                Chain.from_bytes(steps)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most < len(steps)


@example(msgpack.packb(msgpack.ExtType(0, b"\0")))
@example(msgpack.packb(msgpack.Timestamp(0)))
@given(st.binary(max_size=200) | st.just(FOUR).map(lambda data: data[:-3]))
def test_any_bytes_are_steps_or_malformed(data: bytes) -> None:
    with pytest.raises(StepsMalformedError):
        Chain.from_bytes(data)


def test_the_real_prover_takes_the_steps_of_an_application(
    bb: BlockingBarretenberg, acvm: Acvm, balance: Program
) -> None:
    """As far as one gets without Aztec's kernels: to the proof, for which there is nothing."""
    witness = acvm.execute(balance.bytecode, balance_inputs()).to_bytes()
    application = step(0, bytecode=balance.bytecode, witness=gzip.compress(witness), vk=b"")
    chain = Chain.from_bytes(packed(*[application] * 4))
    with pytest.raises((ProverRefusedError, ProverCrashedError)) as caught:
        bb.prove_chain(chain)
    if isinstance(caught.value, ProverRefusedError):
        assert caught.value.command in {"ChonkLoad", "ChonkAccumulate", "ChonkProve"}


def test_the_real_prover_refuses_what_is_no_circuit(bb: BlockingBarretenberg) -> None:
    with pytest.raises(ProverRefusedError) as caught:
        bb.prove_chain(Chain.from_bytes(FOUR))
    assert caught.value.command == "ChonkLoad"
    assert bb.is_alive
