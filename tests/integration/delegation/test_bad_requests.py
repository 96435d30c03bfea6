"""What cannot be proven is refused with a code of its own, and the next request is not harmed."""

import asyncio
import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgpack
import pytest
from tests.integration.delegation.conftest import (
    SOON,
    Caller,
    balance_job,
    bytecode,
    inputs,
    key,
    witness,
)

from adyton.adapters.acvm import Program
from adyton.adapters.linked_errors import LinkedError
from adyton.crypto.hpke import OpeningKey, SealSuite
from adyton.model.proving import SealedProving, Target
from adyton.model.proving_job import (
    ChonkJob,
    NoirCircuit,
    ProvingJob,
    RegisteredCircuit,
    UltraHonkJob,
)

OTHER = "credit_score"
GARBAGE = gzip.compress(b"\x03garbage")
STEP = {"bytecode": bytecode(), "witness": gzip.compress(b"\x03"), "vk": b"", "functionName": "f"}


async def refusal(caller: Caller, job: ProvingJob, **changes: Any) -> str:
    with pytest.raises(LinkedError) as caught:
        await caller.prove(job, **changes)
    return caught.value.code


def unsatisfied() -> bytes:
    """A witness of the right circuit that returns another commitment."""
    stack = msgpack.unpackb(witness()[1:], strict_map_key=False)
    commitment, _answer = Program.from_bytecode(bytecode()).returned
    stack[0][0][1][commitment] = (12345).to_bytes(32)
    packed: bytes = msgpack.packb(stack)
    return b"\x03" + packed


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (
            lambda: balance_job(circuit=NoirCircuit(bytecode=b"garbage", key=None)),
            "bytecode-malformed",
        ),
        (
            lambda: balance_job(circuit=NoirCircuit(bytecode=GARBAGE, key=None)),
            "bytecode-malformed",
        ),
        (
            lambda: UltraHonkJob(
                circuit=NoirCircuit(bytecode=GARBAGE, key=key()), solution=witness()
            ),
            "bytecode-malformed",
        ),
        (lambda: balance_job(solution=inputs(lower="1.5")), "inputs-malformed"),
        (lambda: balance_job(solution=inputs(lower="1" * 30)), "inputs-malformed"),
        (lambda: balance_job(solution=inputs(extra=1)), "inputs-malformed"),
        (lambda: balance_job(solution=replace(inputs(), abi={})), "abi-malformed"),
        (lambda: balance_job(solution=inputs(count=17)), "witness-unsatisfied"),
        (lambda: balance_job(solution=b"\x03garbage"), "witness-malformed"),
        (lambda: balance_job(solution=gzip.compress(b"\x03")[:-4]), "witness-malformed"),
        (lambda: balance_job(solution=unsatisfied()), "witness-unsatisfied"),
        (
            lambda: balance_job(
                circuit=NoirCircuit(bytecode=bytecode(OTHER), key=key(OTHER)),
                solution=witness(),
            ),
            "witness-malformed",
        ),
        (
            lambda: balance_job(circuit=NoirCircuit(bytecode=bytecode(), key=key(OTHER))),
            "key-rejected",
        ),
        (
            lambda: balance_job(circuit=NoirCircuit(bytecode=bytecode(), key=b"key")),
            "verification-key-malformed",
        ),
        (
            lambda: balance_job(circuit=RegisteredCircuit(digest=bytes(32))),
            "circuit-not-registered",
        ),
    ],
    ids=[
        "bytecode that is not in gzip",
        "bytecode that is no program",
        "bytecode that is no program, with a key",
        "a number that is none",
        "a number out of range",
        "an input too many",
        "no abi",
        "inputs that the circuit refuses",
        "a witness that is none",
        "a witness that is cut",
        "a witness that does not satisfy",
        "a witness of another circuit",
        "a key of another circuit",
        "a key that is none",
        "a circuit that was not registered",
    ],
)
async def test_what_cannot_be_proven_has_a_code(
    caller: Caller, make: Callable[[], ProvingJob], code: str
) -> None:
    assert await refusal(caller, make()) == code


async def test_a_key_for_another_target_is_refused(caller: Caller) -> None:
    code = await refusal(caller, balance_job(), target=Target.NOIR_RECURSIVE)
    assert code == "verification-key-malformed"


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        (b"garbage", "steps-malformed"),
        (msgpack.packb([STEP]), "steps-malformed"),
        (msgpack.packb([STEP | {"extra": 1}] * 4), "steps-malformed"),
        (msgpack.packb([STEP | {"bytecode": b"garbage"}] * 4), "steps-malformed"),
        (msgpack.packb([STEP | {"bytecode": GARBAGE}] * 4), "prover-refused"),
    ],
    ids=["no msgpack", "too few", "a field too many", "no gzip", "no program"],
)
async def test_a_bad_chain_of_circuits_has_a_code(caller: Caller, steps: bytes, code: str) -> None:
    assert await refusal(caller, ChonkJob(steps=steps), target=Target.AZTEC) == code


async def test_only_this_worker_opens_a_request_and_only_under_its_header(caller: Caller) -> None:
    other = OpeningKey.generate().public[SealSuite.X25519]
    assert await refusal(caller, balance_job(), public_key=other) == "seal-rejected"
    sealed = SealedProving.from_bytes(caller.seal(balance_job()))
    changed = replace(sealed, header=replace(sealed.header, audience="me"))
    with pytest.raises(LinkedError) as caught:
        await caller.send(changed.to_bytes())
    assert caught.value.code == "seal-rejected"


async def test_a_request_is_answered_once_and_not_when_it_is_old(caller: Caller) -> None:
    sealed = caller.seal(balance_job())
    await caller.send(sealed)
    with pytest.raises(LinkedError) as caught:
        await caller.send(sealed)
    assert caught.value.code == "replayed"
    now = datetime.now(UTC)
    assert await refusal(caller, balance_job(), now=now - timedelta(hours=25)) == "too-old"
    assert await refusal(caller, balance_job(), now=now + timedelta(hours=1)) == "from-the-future"


@pytest.mark.parametrize(
    "sealed",
    [b"", b"\x01", b"\xff\xff\xff\xff", b"\x02\0\0\0{}box", bytes(1000)],
    ids=["nothing", "cut", "a long header", "an empty header", "zeros"],
)
async def test_what_is_no_request_is_malformed(caller: Caller, sealed: bytes) -> None:
    with pytest.raises(LinkedError) as caught:
        await caller.send(sealed)
    assert caught.value.code == "malformed"


@pytest.mark.parametrize("target", ["starknet", "aztec", ""])
async def test_no_target_is_taken_for_another(caller: Caller, target: str) -> None:
    with pytest.raises(LinkedError) as caught:
        await caller.link.call("register-circuit", within=SOON, bytecode=bytecode(), target=target)
    assert caught.value.code in {"proving-scheme-unavailable", "malformed"}


async def test_a_hundred_bad_requests_at_once_leave_the_pool_whole(caller: Caller) -> None:
    job = balance_job(circuit=NoirCircuit(bytecode=GARBAGE, key=None))
    codes = await asyncio.gather(*(refusal(caller, job) for _ in range(100)))
    assert set(codes) == {"bytecode-malformed", "overloaded"}
    counts = await caller.counts()
    assert (counts["active"], counts["waiting"]) == (0, 0)
    assert (await caller.prove(balance_job())).public_inputs[-1] == 1
