"""Group commit and checkpoints, over a simulated machine and a real archive."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from random import Random

import pytest
from tests.fakes.ledger import Machine, World

from adyton.adapters.ledger.archive import Archive, ProofUnknownError
from adyton.adapters.ledger.failure import StorageFailedError
from adyton.errors import UnavailableError
from adyton.ledger.checkpoint import NoteKey, open_checkpoint
from adyton.ledger.errors import LedgerEndedError
from adyton.ledger.ledger import Ledger
from adyton.ledger.records import Share, Submission
from adyton.ledger.replay import Position, replay
from adyton.ledger.tree import leaf_hash, verify_inclusion
from adyton.notary.checkpoints import Checkpoints
from adyton.notary.committing import Committer, KeyReusedError, NotaryBusyError

ORIGIN = "example.com/log"


class Platform:
    """Evidence that says what it is over, made when it is allowed."""

    def __init__(self) -> None:
        self.is_allowed = asyncio.Event()
        self.is_allowed.set()

    async def evidence(self, report_data: bytes, challenge: bytes | None, key: bytes) -> bytes:
        await self.is_allowed.wait()
        return b"over " + report_data


@dataclass
class Notary:
    machine: Machine
    ledger: Ledger
    archive: Archive
    platform: Platform
    committer: Committer
    checkpoints: Checkpoints


@pytest.fixture
async def notary(tmp_path: Path) -> AsyncIterator[Notary]:
    machine = Machine(World(Random(1)))
    ledger = machine.start()
    archive = Archive.open(machine.journal, tmp_path)
    platform = Platform()
    committer = Committer(ledger, archive, platform)
    every = timedelta(hours=1)
    checkpoints = Checkpoints(ledger, archive, committer, origin=ORIGIN, every=every)
    yield Notary(machine, ledger, archive, platform, committer, checkpoints)
    await committer.close()
    await checkpoints.close()
    archive.close()


def keyed(text: bytes, *digests: bytes) -> Submission:
    return Submission(digests=digests or (bytes(32),), key=text)


async def commit_all(notary: Notary, *submissions: Submission) -> list[Share]:
    return list(await asyncio.gather(*map(notary.committer.submit, submissions)))


async def test_who_waits_together_shares_a_write_and_keeps_its_own_proofs(notary: Notary) -> None:
    submissions = [notary.machine.submission(count) for count in (1, 3, 2, 5)]
    before = notary.machine.world.names.count("after anchor")
    shares = await commit_all(notary, *submissions)
    assert notary.machine.world.names.count("after anchor") == before + 1
    assert [share.batch.head.counter for share in shares] == [1, 4, 6, 11]
    for share, submission in zip(shares, submissions, strict=True):
        found = [
            share.batch.entry(number).digest
            for number in range(share.batch.previous.counter + 1, share.batch.head.counter + 1)
        ]
        assert tuple(found) == submission.digests
        assert len(list(share.batch.proofs(share.epoch))) == len(submission.digests)


async def test_a_repeated_key_gets_the_same_share_before_and_after_it_is_indexed(
    notary: Notary,
) -> None:
    first, second = await commit_all(notary, keyed(b"a"), keyed(b"a"))
    assert first == second
    await notary.checkpoints.catch_up()
    (third,) = await commit_all(notary, keyed(b"a"))
    assert third == first
    assert notary.ledger.head.counter == 1


async def test_a_key_that_comes_again_with_something_else_is_refused(notary: Notary) -> None:
    await commit_all(notary, keyed(b"a"))
    for _ in range(2):
        for other in (
            keyed(b"a", bytes(32), bytes(32)),
            keyed(b"a", b"x" * 32),
            replace(keyed(b"a"), metadata=b'{"a":1}'),
            replace(keyed(b"a"), fresh=True),
        ):
            with pytest.raises(KeyReusedError):
                notary.committer.submit(other)
        await notary.checkpoints.catch_up()


async def test_fresh_evidence_is_made_for_each_proof(notary: Notary) -> None:
    fresh = replace(notary.machine.submission(2), fresh=True)
    (made,) = await commit_all(notary, fresh)
    reports = made.batch.parts[0].reports
    bodies = [made.batch.body(made.epoch, number) for number in (1, 2)]
    assert reports == tuple(b"over " + made.epoch.template.evidence_digest(body) for body in bodies)


async def test_nobody_waits_for_evidence_that_another_wants(notary: Notary) -> None:
    notary.platform.is_allowed.clear()
    fresh = notary.committer.submit(replace(notary.machine.submission(2), fresh=True))
    others = await commit_all(notary, notary.machine.submission(), notary.machine.submission())
    assert [share.batch.head.counter for share in others] == [1, 2]
    assert not fresh.done()
    notary.platform.is_allowed.set()
    assert (await fresh).batch.head.counter == 4


async def test_who_wants_evidence_has_a_turn_however_many_want_none(notary: Notary) -> None:
    fresh = [replace(notary.machine.submission(), fresh=True) for _ in range(2)]
    plain = [notary.machine.submission(512) for _ in range(3)]
    shares = await commit_all(notary, *fresh, *plain)
    assert [share.batch.head.counter for share in shares] == [513, 1026, 512, 1025, 1538]


async def test_a_stretch_of_the_log_is_what_its_numbers_are_one_by_one(notary: Notary) -> None:
    submissions = [notary.machine.submission(count) for count in (1, 3, 2)]
    fresh = replace(notary.machine.submission(3), fresh=True)
    await commit_all(notary, *submissions, fresh, notary.machine.submission(2))
    await notary.checkpoints.catch_up()
    every = [notary.archive.proof(number) for number in range(1, 12)]
    for first, last in combinations(range(1, 12), 2):
        found = [
            proof
            for share in notary.archive.shares(first, last=last)
            for proof in share.batch.proofs(share.epoch)
        ]
        assert found == every[first - 1 : last]
    assert list(notary.archive.shares(5, last=4)) == []
    for first in (0, 12):
        with pytest.raises(ProofUnknownError):
            list(notary.archive.shares(first, last=12))


async def test_what_failed_before_it_was_signed_may_be_repeated(
    notary: Notary, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = replace(keyed(b"a"), fresh=True)

    async def refuse(*_arguments: object) -> bytes:
        raise UnavailableError("no evidence now")

    with monkeypatch.context() as patch:
        patch.setattr(notary.committer._platform, "evidence", refuse)
        with pytest.raises(UnavailableError):
            await notary.committer.submit(fresh)
    assert (await notary.committer.submit(fresh)).batch.head.counter == 1


async def test_a_failed_write_is_told_to_all_who_wait_and_ends_the_process(
    notary: Notary,
) -> None:
    await commit_all(notary, notary.machine.submission())
    notary.machine.journal.full_after = notary.machine.journal.size()
    outcomes = await asyncio.gather(
        *(notary.committer.submit(notary.machine.submission(300)) for _ in range(4)),
        return_exceptions=True,
    )
    assert all(isinstance(outcome, LedgerEndedError) for outcome in outcomes)
    assert notary.committer.ended.is_set()
    with pytest.raises(LedgerEndedError):
        notary.committer.submit(notary.machine.submission())


async def test_more_than_the_notary_takes_is_refused_at_once(notary: Notary) -> None:
    full = Committer(notary.ledger, notary.archive, Platform(), waiting=5)
    answers = [full.submit(notary.machine.submission(3)) for _ in range(2)]
    with pytest.raises(NotaryBusyError):
        full.submit(notary.machine.submission())
    await asyncio.gather(*answers)
    await full.close()


async def test_who_hangs_up_takes_nothing_from_others(notary: Notary) -> None:
    gone = notary.committer.submit(notary.machine.submission())
    stays = notary.committer.submit(notary.machine.submission())
    gone.cancel()
    assert (await stays).batch.head.counter == 2


async def test_a_checkpoint_covers_what_was_settled_and_holds(notary: Notary) -> None:
    await commit_all(notary, *(notary.machine.submission(7) for _ in range(30)))
    signed = await notary.checkpoints.catch_up()
    key = NoteKey(name=ORIGIN, public_key=notary.ledger.epoch.public_key)
    checkpoint = open_checkpoint(signed.note, keys=[key])
    assert (checkpoint.size, checkpoint.root) == (210, notary.archive.root(210))
    for number in (1, 2, 100, 209, 210):
        found = notary.archive.find(number)
        verify_inclusion(
            leaf_hash(found.batch.entry(number).proof_hash),
            index=number - 1,
            size=210,
            path=notary.archive.inclusion(number, 210),
            root=checkpoint.root,
        )


async def test_what_the_archive_could_not_take_is_made_by_the_next_start(
    notary: Notary, monkeypatch: pytest.MonkeyPatch
) -> None:
    await commit_all(notary, notary.machine.submission(3))

    def fail(*_arguments: object) -> None:
        raise StorageFailedError(what="index", reason="no space")

    with monkeypatch.context() as patch:
        patch.setattr(notary.archive._index, "add", fail)
        with pytest.raises(StorageFailedError):
            await notary.checkpoints.catch_up()
    assert notary.committer.ended.is_set()
    # Here it is not tried again, and who asks is told why.
    with pytest.raises(LedgerEndedError, match="no space"):
        await notary.checkpoints.catch_up()
    *_, last = replay(notary.machine.journal, Position(), until=3)
    notary.archive.catch_up(last.after)
    assert notary.archive.find(1).batch.count == 3


async def test_an_index_that_is_lost_is_made_again(notary: Notary, tmp_path: Path) -> None:
    await commit_all(notary, *(keyed(bytes([n]) * 8) for n in range(5)))
    await notary.checkpoints.catch_up()
    proofs = [notary.archive.proof(number) for number in range(1, 6)]
    folder = tmp_path / "again"
    folder.mkdir()
    made = Archive.open(notary.machine.journal, folder)
    with pytest.raises(ProofUnknownError):
        made.proof(1)
    made.catch_up(notary.ledger.position)
    assert [made.proof(number) for number in range(1, 6)] == proofs
    assert made.check(notary.ledger.position) == ""
    made.close()


async def test_an_index_that_leads_elsewhere_is_noticed(notary: Notary) -> None:
    await commit_all(notary, notary.machine.submission())
    await commit_all(notary, notary.machine.submission())
    await notary.checkpoints.catch_up()
    writer = notary.archive._index._writer
    writer.execute("UPDATE batches SET offset = (SELECT min(offset) FROM batches)")
    with pytest.raises(ProofUnknownError):
        notary.archive.proof(2)
    assert "does not lead to the batch" in notary.archive.check(notary.ledger.position)
