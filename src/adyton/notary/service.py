"""What a notary answers to its gateway, call by call.

The gateway is on the host: what it sends is a stranger's, and is read again here. Proofs cross the
link as entries, from which the gateway makes the text that was signed and hashed here.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from adyton.adapters.frames import Fields
from adyton.adapters.ledger.archive import Archive, ProofUnknownError
from adyton.adapters.link import Emit
from adyton.adapters.linked_errors import error_fields
from adyton.errors import AdytonError, MalformedError
from adyton.ledger.checkpoint import Checkpoint
from adyton.ledger.ledger import Ledger
from adyton.ledger.records import Share, Submission, check_metadata
from adyton.ledger.tree import Hash, leaf_hash, verify_inclusion
from adyton.notary.checkpoints import Checkpoints, SignedCheckpoint
from adyton.notary.committing import Committer

__all__ = ["NotaryCallUnknownError", "NotaryService"]

_MOST_SUBMISSIONS: Final = 1024
_MOST_PROOFS: Final = 100
_MOST_EPOCHS: Final = 32
# The gateway makes some kilobytes of text of each; more than this room, one submission may take.
_MOST_IN_RANGE: Final = 128
_RANGE_BYTES: Final = 512 * 1024
_MOST_FRESH: Final = 16


class NotaryCallUnknownError(MalformedError):
    """A call that no notary of this version answers."""

    code = "notary-call-unknown"


class NotaryService:
    """Answers calls."""

    def __init__(
        self, *, ledger: Ledger, archive: Archive, committer: Committer, checkpoints: Checkpoints
    ) -> None:
        self._ledger, self._archive = ledger, archive
        self._committer, self._checkpoints = committer, checkpoints
        self._calls = {
            "commit": self._commit,
            "epoch": self._epoch,
            "epochs": self._epochs,
            "checkpoint": self._checkpoint,
            "proof": self._proof,
            "proofs": self._proofs,
            "range": self._range,
            "inclusion": self._inclusion,
            "consistency": self._consistency,
            "health": self._health,
        }

    async def handle(self, call: str, fields: Fields, _emit: Emit) -> Mapping[str, Any]:
        """Return the answer to ``call``, or raise an ``AdytonError``."""
        if (answer := self._calls.get(call)) is None:
            raise NotaryCallUnknownError(f"a notary has no call {call[:32]!r}")
        return await answer(fields)

    async def _commit(self, fields: Fields) -> Mapping[str, Any]:
        """Return, for each submission, its share or the error that it ended with."""
        given = fields.get("submissions")
        if not isinstance(given, list) or len(given) > _MOST_SUBMISSIONS:
            raise MalformedError("submissions is not a list")
        answers = [self._submit(item) for item in given]
        for answer in answers:
            # Those of one step are done together.
            if isinstance(answer, asyncio.Future) and not answer.done():
                # One that failed is told below; the others have their own end.
                await asyncio.wait((answer,))
        return {"shares": [_outcome(answer) for answer in answers]}

    def _submit(self, item: Any) -> Any:
        try:
            return self._committer.submit(_submission(item))
        except AdytonError as error:
            return error

    async def _epoch(self, fields: Fields) -> Mapping[str, Any]:
        counter = _integer(fields, "counter")
        if counter == 0 or counter >= self._ledger.epoch.first:
            return {"epoch": self._ledger.epoch.to_bytes()}
        return {"epoch": (await asyncio.to_thread(self._archive.epoch_of, counter)).to_bytes()}

    async def _epochs(self, fields: Fields) -> Mapping[str, Any]:
        after = _integer(fields, "after")
        await self._checkpoints.catch_up()
        found = await asyncio.to_thread(self._archive.epochs, after=after, limit=_MOST_EPOCHS)
        return {"epochs": [epoch.to_bytes() for epoch in found]}

    async def _checkpoint(self, _fields: Fields) -> Mapping[str, Any]:
        latest = self._checkpoints.latest
        return {"note": latest.note, "size": latest.checkpoint.size}

    async def _proof(self, fields: Fields) -> Mapping[str, Any]:
        counter = _integer(fields, "counter")
        await self._reach(counter)
        return {"proof": await asyncio.to_thread(self._archive.proof, counter)}

    async def _proofs(self, fields: Fields) -> Mapping[str, Any]:
        digest = _bytes(fields, "digest")
        # Who asks may have committed it a moment ago.
        await self._checkpoints.catch_up()
        found = await asyncio.to_thread(self._archive.proofs, digest, limit=_MOST_PROOFS)
        return {"proofs": found}

    async def _range(self, fields: Fields) -> Mapping[str, Any]:
        """Return the shares of the numbers from ``first`` on, some, and none behind ``last``."""
        first, last = _integer(fields, "first"), _integer(fields, "last")
        # Not ``last``, which may be any number: else each reading would make a checkpoint.
        size = (await self._reach(first)).checkpoint.size
        last = min(last, size, first + _MOST_IN_RANGE - 1)
        return {"shares": await asyncio.to_thread(self._shares, first, last)}

    def _shares(self, first: int, last: int) -> list[dict[str, Any]]:
        shares: list[dict[str, Any]] = []
        room = _RANGE_BYTES
        for found in self._archive.shares(first, last=last):
            shares.append(_fields(found))
            if (room := room - len(shares[-1]["batch"])) <= 0:
                break
        if not shares:
            raise ProofUnknownError
        return shares

    async def _inclusion(self, fields: Fields) -> Mapping[str, Any]:
        """Return the path from a proof to a root; it leads there, or is an error.

        The root is the newest checkpoint's, or that of the first ``size`` proofs.
        """
        counter, size = _integer(fields, "counter"), _integer(fields, "size")
        latest = await self._reach(counter)
        if not 0 < counter <= (size or counter) <= latest.checkpoint.size:
            raise ProofUnknownError
        size = size or latest.checkpoint.size
        path = await asyncio.to_thread(self._path, counter, size, latest.checkpoint)
        return {"path": path, "note": latest.note}

    def _path(self, counter: int, size: int, newest: Checkpoint) -> list[Hash]:
        found = self._archive.find(counter)
        path = self._archive.inclusion(counter, size)
        verify_inclusion(
            leaf_hash(found.batch.entry(counter).proof_hash),
            index=counter - 1,
            size=size,
            path=path,
            root=newest.root if size == newest.size else self._archive.root(size),
        )
        return path

    async def _consistency(self, fields: Fields) -> Mapping[str, Any]:
        old, new = _integer(fields, "old"), _integer(fields, "new")
        size = (await self._reach(new)).checkpoint.size
        new = new or size
        if new > size:
            raise ProofUnknownError
        return {"path": await asyncio.to_thread(self._archive.consistency, old, new), "new": new}

    async def _health(self, _fields: Fields) -> Mapping[str, Any]:
        return {
            "counter": self._ledger.head.counter,
            "checkpoint": self._checkpoints.latest.checkpoint.size,
            "waiting": self._committer.waiting,
            "anchor": self._ledger.epoch.anchor,
        }

    async def _reach(self, counter: int) -> SignedCheckpoint:
        """Return the latest checkpoint; a newer one where it does not cover ``counter``."""
        latest = self._checkpoints.latest
        return latest if latest.checkpoint.size >= counter else await self._checkpoints.catch_up()


def _submission(item: Any) -> Submission:
    if not isinstance(item, dict):
        raise MalformedError("a submission is not a map")
    digests, metadata = _bytes(item, "digests"), _bytes(item, "metadata")
    if len(digests) % 32:
        raise MalformedError("digests are not 32 bytes each")
    check_metadata(metadata)
    submission = Submission(
        digests=tuple(digests[at : at + 32] for at in range(0, len(digests), 32)),
        metadata=metadata,
        key=_bytes(item, "key"),
        fresh=item.get("fresh") is True,
    )
    if submission.fresh and len(submission.digests) > _MOST_FRESH:
        raise MalformedError(f"fresh evidence is for {_MOST_FRESH} digests at a time")
    return submission


def _outcome(answer: Any) -> dict[str, Any]:
    if isinstance(answer, asyncio.Future):
        # It has ended: by a share, an error of ours, or because the process is being closed.
        error = answer.exception()
        if error is None:
            return _fields(answer.result())
        answer = error
    if not isinstance(answer, AdytonError):
        raise answer
    return {"error": error_fields(answer)}


def _fields(share: Share) -> dict[str, Any]:
    return {"first": share.epoch.first, "batch": share.batch.to_bytes()}


def _bytes(fields: Mapping[str, Any], name: str) -> bytes:
    value = fields.get(name, b"")
    if not isinstance(value, bytes):
        raise MalformedError(f"{name} is not bytes")
    return value


def _integer(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise MalformedError(f"{name} is not a number")
    return value
