"""The notary's client: what arrives together goes together, and no answer is believed unseen."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from tests.fakes.ledger import Machine, World

from adyton.adapters.frames import pack_frame
from adyton.adapters.ledger.archive import ProofUnknownError
from adyton.adapters.link import WorkerTimeoutError, WorkerUnavailableError
from adyton.adapters.linked_errors import LinkedRejectedError, error_fields, linked_error
from adyton.codec.javascript import canonical
from adyton.crypto.hashing import sha256
from adyton.errors import AdytonError
from adyton.gateway.notary.client import (
    Notary,
    NotaryAnswerError,
    NotaryTimeoutError,
    NotaryUnavailableError,
)
from adyton.ledger.records import MAX_METADATA_BYTES, Submission
from adyton.notary.committing import KeyReusedError


class Far:
    """A notary at the other end, without a socket."""

    is_up, epoch = True, 1

    def __init__(self) -> None:
        self.machine = Machine(World(Random(1)))
        self.ledger = self.machine.start()
        self.calls: list[tuple[str, int]] = []
        self.answer: Any = None
        self.error: Exception | None = None
        self.evidence = asyncio.Event()
        self.report = self.ledger.epoch.report

    async def wait_until_up(self, *, within: timedelta) -> None:
        return

    async def call(self, name: str, /, *, within: timedelta, **fields: Any) -> Any:
        submissions = fields.get("submissions", [])
        self.calls.append((name, len(submissions)))
        await asyncio.sleep(0)
        if any(item["fresh"] for item in submissions):
            await self.evidence.wait()
        if self.error is not None:
            raise self.error
        if name == "epoch":
            return {"epoch": replace(self.ledger.epoch, report=self.report).to_bytes()}
        if self.answer is not None:
            return self.answer
        shares = {"shares": [self.share(item) for item in submissions]}
        if name == "commit":
            # As the link does it: what is too long for a frame is no answer to anybody.
            pack_frame({"id": 1, "answer": shares})
        return shares

    def share(self, item: dict[str, Any]) -> dict[str, Any]:
        if item["key"] == b"reused":
            return {"error": error_fields(KeyReusedError())}
        digests = item["digests"]
        submission = Submission(
            digests=tuple(digests[at : at + 32] for at in range(0, len(digests), 32)),
            metadata=item.get("metadata", b""),
            key=item["key"],
        )
        step = self.ledger.step([submission])
        self.ledger.settle(step)
        return {"first": self.ledger.epoch.first, "batch": step.batch.to_bytes()}


@pytest.fixture
def far() -> Far:
    return Far()


async def test_what_arrives_together_goes_together_and_comes_back_apart(far: Far) -> None:
    notary = Notary(far)
    submissions = [far.machine.submission(count) for count in (1, 2, 3)]
    answers = [list(proofs) for proofs in await asyncio.gather(*map(notary.commit, submissions))]
    assert [call for call in far.calls if call[0] == "commit"] == [("commit", 3)]
    assert [len(proofs) for proofs in answers] == [1, 2, 3]
    last = answers[-1][-1]
    assert sha256(last) == far.ledger.head.proof_hash


async def test_an_epoch_is_asked_for_once_and_again_of_another_notary(far: Far) -> None:
    notary = Notary(far)
    for _ in range(3):
        await notary.commit(far.machine.submission())
    assert far.calls.count(("epoch", 0)) == 1
    far.epoch = 2
    await notary.commit(far.machine.submission())
    assert far.calls.count(("epoch", 0)) == 2


async def test_one_that_is_refused_leaves_the_others_alone(far: Far) -> None:
    notary = Notary(far)
    good = far.machine.submission()
    bad = Submission(digests=good.digests, key=b"reused")
    refused, proofs = await asyncio.gather(
        notary.commit(bad), notary.commit(good), return_exceptions=True
    )
    assert isinstance(refused, LinkedRejectedError)
    assert refused.code == "idempotency-key-reused"
    assert not isinstance(proofs, BaseException)
    assert len(list(proofs)) == 1


async def test_many_proofs_are_put_together_one_at_a_time(far: Far) -> None:
    proofs = await Notary(far).commit(far.machine.submission(4096))
    assert not isinstance(proofs, list)
    *_, last = proofs
    assert sha256(last) == far.ledger.head.proof_hash


async def test_nobody_waits_for_evidence_that_another_wants(far: Far) -> None:
    notary = Notary(far)
    fresh = [replace(far.machine.submission(), fresh=True) for _ in range(3)]
    waiting = [asyncio.create_task(notary.commit(submission)) for submission in fresh]
    plain = [notary.commit(far.machine.submission()) for _ in range(3)]
    assert len(await asyncio.gather(*plain)) == 3
    assert not any(task.done() for task in waiting)
    # One in a call, and no more calls at a time than for all the others.
    assert [call for call in far.calls if call[0] == "commit"].count(("commit", 1)) == 2
    far.evidence.set()
    assert len(await asyncio.gather(*waiting)) == 3


async def test_more_than_goes_with_one_call_goes_with_the_next(far: Far) -> None:
    notary = Notary(far)
    submissions = [far.machine.submission(3000) for _ in range(2)]
    submissions += [far.machine.submission() for _ in range(600)]
    await asyncio.gather(*map(notary.commit, submissions))
    calls = [count for name, count in far.calls if name == "commit"]
    assert calls == [1, 512, 89]


async def test_what_goes_together_can_be_answered_together(far: Far) -> None:
    longest = canonical({"": "x" * (MAX_METADATA_BYTES - 7)})
    assert len(longest) == MAX_METADATA_BYTES
    submissions = [
        replace(far.machine.submission(), metadata=longest, key=number.to_bytes(32))
        for number in range(600)
    ]
    answers = await asyncio.gather(*map(Notary(far).commit, submissions))
    assert [len(list(proofs)) for proofs in answers] == [1] * 600


async def test_proofs_of_something_else_are_none(far: Far) -> None:
    other = Submission(digests=(bytes(32), bytes(32)))
    digests = b"".join(other.digests)
    far.answer = {"shares": [far.share({"key": b"", "digests": digests})]}
    notary = Notary(far)
    with pytest.raises(NotaryAnswerError):
        await notary.commit(far.machine.submission())


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"shares": []},
        {"shares": [None]},
        {"shares": [{"first": 1}]},
        {"shares": [{"first": -1, "batch": b""}]},
        {"shares": [{"first": 1, "batch": b"none"}]},
    ],
    ids=lambda _: "answer",
)
async def test_an_answer_that_is_none_is_no_proof(far: Far, answer: Any) -> None:
    far.answer = answer
    with pytest.raises(NotaryAnswerError):
        await Notary(far).commit(far.machine.submission())


async def test_an_epoch_that_no_proofs_come_from_is_none(far: Far) -> None:
    far.report = b""
    with pytest.raises(NotaryAnswerError):
        await Notary(far).commit(far.machine.submission())


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (WorkerUnavailableError(), NotaryUnavailableError),
        (WorkerTimeoutError(within=timedelta(seconds=1)), NotaryTimeoutError),
        (linked_error(error_fields(ProofUnknownError())), ProofUnknownError),
    ],
    ids=["unreachable", "slow", "unknown"],
)
async def test_a_notary_that_does_not_answer_is_told_as_one(
    far: Far, error: Exception, ours: type[AdytonError]
) -> None:
    far.error = error
    with pytest.raises(ours):
        await Notary(far).commit(far.machine.submission())
    with pytest.raises(ours):
        await Notary(far).proof(1)


async def test_who_is_gone_does_not_hold_up_the_rest(far: Far) -> None:
    notary = Notary(far)
    gone = asyncio.create_task(notary.commit(far.machine.submission()))
    await asyncio.sleep(0)
    gone.cancel()
    assert len(list(await notary.commit(far.machine.submission()))) == 1
