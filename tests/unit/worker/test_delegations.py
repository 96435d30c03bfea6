"""The worker's part in delegated proofs: guards before a cell, its own words after it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from tests.fakes.workshop import Workshop

from adyton.adapters.frames import Fields
from adyton.adapters.linked_errors import LinkedMalformedError, LinkedUnavailableError
from adyton.crypto.hashing import sha256
from adyton.crypto.hpke import SealSuite
from adyton.crypto.signing import check_signature
from adyton.errors import MalformedError, UnavailableError
from adyton.model.proving import Target
from adyton.model.proving_job import NoirCircuit, UltraHonkJob
from adyton.model.proving_receipt import PROVING_SIGNATURE_DOMAIN, ProvingReceipt
from adyton.sdk.sealing import sealed_proving
from adyton.worker.cells import Cells
from adyton.worker.circuits import CircuitNotRegisteredError, RegisteredCircuits
from adyton.worker.delegations import Delegations, ReceiptTooLargeError
from adyton.worker.identity import Attester, Keys
from adyton.worker.replay import ReplayRejectedError

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
JOB = UltraHonkJob(circuit=NoirCircuit(bytecode=b"b", key=None), solution=b"w")
DONE: Fields = {
    "done": True,
    "circuit": b"c" * 32,
    "verification_key": b"key",
    "proof": b"proof",
    "public_inputs": [(7).to_bytes(32)],
    "timings": {},
}
Reply = Callable[[Fields], Awaitable[Fields]]


class Cell:
    """Cells that do what the test says, and remember the jobs."""

    def __init__(self, work: Callable[[Reply], Awaitable[Fields]]) -> None:
        self.work, self.jobs = work, list[Fields]()
        self.counts = {"active": 0}

    async def run(self, job: Fields, reply: Reply) -> Fields:
        self.jobs.append(job)
        return await self.work(reply)


async def honest(_reply: Reply) -> Fields:
    return DONE


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.of(folder=tmp_path_factory.mktemp("workshop"), clock=lambda: NOW)


def delegations(workshop: Workshop, cell: Cell) -> Delegations:
    return Delegations(
        keys=Keys(opening=workshop.opening, signing=workshop.signing),
        attester=Attester(
            manifest=workshop.manifest, platform=workshop.platform, clock=lambda: NOW
        ),
        cells=cast("Cells", cell),
        circuits=RegisteredCircuits(limit_bytes=100),
        clock=lambda: NOW,
    )


def request(workshop: Workshop, nonce: str = "n") -> bytes:
    return sealed_proving(
        JOB,
        target=Target.EVM,
        nonce=nonce,
        audience="",
        public_key=workshop.opening.public[SealSuite.X25519],
        suite=SealSuite.X25519,
        now=NOW,
    ).to_bytes()


def nothing(_event: Any) -> None:
    return


async def test_the_worker_writes_what_it_signs_from_what_it_knows(workshop: Workshop) -> None:
    async def lying(_reply: Reply) -> Fields:
        # What a cell says about request, time and worker is not asked for.
        return {**DONE, "sealed": b"x", "time": 1, "manifest": b"y", "header": {}}

    sealed = request(workshop)
    answer = await delegations(workshop, Cell(lying)).prove(sealed, b"fresh", nothing)
    receipt = ProvingReceipt.from_bytes(answer["answer"])
    statement = receipt.statement
    assert statement.sealed == sha256(sealed)
    assert statement.time == int(NOW.timestamp())
    assert statement.manifest == sha256(workshop.manifest.to_bytes())
    assert statement.proof == sha256(b"proof")
    check_signature(
        workshop.manifest.signing_key,
        PROVING_SIGNATURE_DOMAIN,
        statement.to_bytes(),
        receipt.signature,
    )


async def test_a_request_is_answered_once(workshop: Workshop) -> None:
    one = delegations(workshop, Cell(honest))
    await one.prove(request(workshop), b"", nothing)
    sealed = request(workshop)
    await one.prove(sealed, b"", nothing)
    with pytest.raises(ReplayRejectedError):
        await one.prove(sealed, b"", nothing)


@pytest.mark.parametrize(
    ("family", "error"),
    [("unavailable", LinkedUnavailableError), ("malformed", LinkedMalformedError)],
)
async def test_what_gave_no_answer_may_be_sent_again(
    workshop: Workshop, family: str, error: type[Exception]
) -> None:
    async def failing(_reply: Reply) -> Fields:
        return {"done": False, "error": {"family": family, "code": "c", "message": "m"}}

    cell = Cell(failing)
    one, sealed = delegations(workshop, cell), request(workshop)
    for _ in range(2):
        with pytest.raises(error):
            await one.prove(sealed, b"", nothing)
    assert len(cell.jobs) == 2
    # And what was refused does not fill the memory of what was answered.
    assert not one._replay._seen


async def test_a_second_attempt_waits_for_the_end_of_the_first(workshop: Workshop) -> None:
    started, order = asyncio.Event(), list[str]()

    async def slow(_reply: Reply) -> Fields:
        order.append("begin")
        started.set()
        try:
            await asyncio.sleep(0.05 if len(order) > 1 else 60)
        finally:
            order.append("end")
        return DONE

    one, sealed = delegations(workshop, Cell(slow)), request(workshop)
    first = asyncio.create_task(one.prove(sealed, b"", nothing))
    await started.wait()
    second = asyncio.create_task(one.prove(sealed, b"", nothing))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second)["answer"]
    assert order == ["begin", "end", "begin", "end"]
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_phases_go_to_the_caller_and_circuits_to_the_cell(workshop: Workshop) -> None:
    replies = list[Fields]()

    async def asking(reply: Reply) -> Fields:
        replies.append(await reply({"phase": "opened"}))
        for digest in (b"known", b"other"):
            replies.append(await reply({"circuit": digest, "target": "evm"}))
        return DONE

    events = list[Any]()
    one = delegations(workshop, Cell(asking))
    one._circuits.add(b"known", Target.EVM, NoirCircuit(bytecode=b"b", key=b"k"))
    await one.prove(request(workshop), b"", events.append)
    assert events == [{"phase": "opened"}, {"phase": "attesting"}]
    assert replies[:2] == [{}, {"bytecode": b"b", "key": b"k"}]
    assert replies[2]["error"]["code"] == "circuit-not-registered"


async def test_a_receipt_that_nobody_could_read_is_not_sent(workshop: Workshop) -> None:
    async def verbose(_reply: Reply) -> Fields:
        return {**DONE, "public_inputs": [bytes(32)] * 20_000}

    one, sealed = delegations(workshop, Cell(verbose)), request(workshop)
    # Nothing was answered, so that the second is no replay of the first.
    for _ in range(2):
        with pytest.raises(ReceiptTooLargeError):
            await one.prove(sealed, b"", nothing)


@pytest.mark.parametrize("target", ["starknet", "aztec", "", "EVM"])
async def test_no_target_is_taken_for_another(workshop: Workshop, target: str) -> None:
    cell = Cell(honest)
    with pytest.raises(MalformedError):
        await delegations(workshop, cell).register(b"bytecode", target)
    assert cell.jobs == []


async def test_without_evidence_there_is_no_receipt(workshop: Workshop, tmp_path: Path) -> None:
    class Silent:
        async def evidence(self, *_arguments: object) -> bytes:
            raise UnavailableError(f"no device at {tmp_path.name}")

    one = delegations(workshop, Cell(honest))
    one._attester = Attester(manifest=workshop.manifest, platform=Silent(), clock=lambda: NOW)
    sealed = request(workshop)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            await one.prove(sealed, b"", nothing)


def test_registered_circuits_make_room_for_each_other() -> None:
    circuits = RegisteredCircuits(limit_bytes=10)
    for name in (b"a", b"b"):
        circuits.add(name, Target.EVM, NoirCircuit(bytecode=b"1234", key=b"k"))
    circuits.find(b"a", Target.EVM)
    circuits.add(b"c", Target.EVM, NoirCircuit(bytecode=b"1234", key=b"k"))
    assert circuits.find(b"a", Target.EVM).bytecode == b"1234"
    for name, target in ((b"b", Target.EVM), (b"a", Target.EVM_NO_ZK)):
        with pytest.raises(CircuitNotRegisteredError):
            circuits.find(name, target)
    circuits.add(b"d", Target.EVM, NoirCircuit(bytecode=b"1" * 11, key=b""))
    with pytest.raises(CircuitNotRegisteredError):
        circuits.find(b"d", Target.EVM)
    # The same circuit again takes no more room.
    circuits.add(b"a", Target.EVM, NoirCircuit(bytecode=b"1234", key=b"k"))
    assert circuits.find(b"c", Target.EVM).key == b"k"
