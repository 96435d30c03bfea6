"""``adyton log fsck``: a whole ledger on disk, read from its first byte on.

Every proof is made again, hashed, and its signature checked; numbers and links are followed; the
log's tree is built anew and compared with the nodes on disk; index, sealed state and anchor are
asked whether they agree. Nothing is changed. It may run beside the notary: what is written
meanwhile is not looked at.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from adyton.adapters.anchors.opening import open_anchor
from adyton.adapters.ledger.archive import Archive
from adyton.adapters.ledger.vault import FileVault, development_key
from adyton.cli.exits import NO, YES
from adyton.cli.terminal import console, plain, print_json, progress, table
from adyton.codec.json import JsonObject
from adyton.crypto.ed25519 import check_ed25519
from adyton.errors import AdytonError, UnavailableError
from adyton.ledger.ports import Anchored
from adyton.ledger.replay import Position, Replayed, replay
from adyton.ledger.sealed import SealedState
from adyton.notary.settings import NotarySettings

__all__ = ["LedgerMissingError", "run_fsck"]

_EVERY = 1000


class LedgerMissingError(UnavailableError):
    """There is no ledger where one was looked for."""

    code = "ledger-missing"

    def __init__(self, *, path: Path) -> None:
        super().__init__(f"there is no ledger in {path}; ADYTON_LEDGER_DIR says where it is")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """What one part of the ledger was found to be."""

    part: str
    text: str
    is_good: bool


class _Reading:
    """The journal, opened for reading only."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._size = os.fstat(self._descriptor).st_size

    def size(self) -> int:
        return self._size

    def read(self, offset: int, size: int) -> bytes:
        return os.pread(self._descriptor, size, offset)


def run_fsck(environ: Mapping[str, str], *, as_json: bool) -> int:
    """Print what each part of the ledger was found to be, and return the exit code."""
    settings = NotarySettings.from_environ(environ)
    path = settings.ledger / "journal"
    if not path.exists():
        raise LedgerMissingError(path=settings.ledger)
    with progress("reading the journal") as tell:
        findings = list(_check(settings, _Reading(path), tell))
    if as_json:
        shown: list[JsonObject] = [
            {"part": item.part, "good": item.is_good, "text": item.text} for item in findings
        ]
        print_json({"findings": shown})
    else:
        made = table("part", "", "")
        for item in findings:
            mark = plain("good", "green") if item.is_good else plain("BAD", "bold red")
            made.add_row(item.part, mark, plain(item.text))
        console().print(made)
    return YES if all(item.is_good for item in findings) else NO


def _check(
    settings: NotarySettings, journal: _Reading, tell: Callable[[str], None]
) -> Iterator[_Finding]:
    """Yield what is found.

    1. The journal is whole: frames, numbers, hashes and links fit together, signatures hold.
    2. The anchor's head is a proof of it.
    3. The sealed state is a place in it.
    4. Index and nodes lead to every batch and to the same root.
    """
    # Step 1
    anchored = _anchored(settings)
    heads: dict[int, bytes] = {0: bytes(32)}
    end, damage = Position(), ""
    try:
        for step in replay(journal, Position()):
            _check_signatures(step)
            end = step.after
            heads[end.head.counter] = end.head.proof_hash
            if end.head.counter % _EVERY < step.batch.count:
                tell(f"reading the journal: {end.head.counter} proofs")
    except AdytonError as error:
        damage = str(error)
    yield _journal(end, damage, anchored)
    # Step 2
    yield _anchor(anchored, heads)
    # Step 3
    yield _sealed(settings, heads)
    # Step 4
    yield _archive(settings, journal, end)


def _check_signatures(step: Replayed) -> None:
    for counter in range(step.batch.previous.counter + 1, step.batch.head.counter + 1):
        body = step.batch.body(step.epoch, counter)
        check_ed25519(step.epoch.public_key, body, step.batch.entry(counter).signature)


def _journal(end: Position, damage: str, anchored: Anchored | AdytonError) -> _Finding:
    text = f"{end.head.counter} proofs, {end.offset} bytes"
    known = anchored.head.counter if isinstance(anchored, Anchored) else 0
    if damage and end.head.counter >= known:
        # What a crash tore behind the anchored head was nobody's yet: a start cuts it off.
        return _Finding(part="journal", text=f"{text}, and a torn end", is_good=True)
    return _Finding(part="journal", text=damage or text, is_good=not damage)


def _anchored(settings: NotarySettings) -> Anchored | AdytonError:
    try:
        with open_anchor(
            settings.anchors, folder=settings.ledger, ledger=settings.origin
        ) as anchor:
            return anchor.read()
    except AdytonError as error:
        return error


def _anchor(anchored: Anchored | AdytonError, heads: Mapping[int, bytes]) -> _Finding:
    if isinstance(anchored, AdytonError):
        return _Finding(part="anchor", text=str(anchored), is_good=False)
    head = anchored.head
    if anchored.pending and head.counter not in heads:
        text = f"at {head.counter}; it carries what the journal lacks"
        return _Finding(part="anchor", text=text, is_good=True)
    is_good = heads.get(head.counter) == head.proof_hash
    text = f"at {head.counter}" if is_good else f"at {head.counter}, with another proof"
    return _Finding(part="anchor", text=text, is_good=is_good)


def _sealed(settings: NotarySettings, heads: Mapping[int, bytes]) -> _Finding:
    if not (settings.ledger / "sealed").exists():
        return _Finding(part="sealed state", text="there is none", is_good=False)
    try:
        vault = FileVault(settings.ledger / "sealed", key=development_key(settings.ledger))
        value = vault.load()
        sealed = SealedState.from_bytes(value or b"").position.head
    except AdytonError as error:
        return _Finding(part="sealed state", text=str(error), is_good=False)
    is_good = heads.get(sealed.counter) == sealed.proof_hash
    text = f"at {sealed.counter}" + ("" if is_good else ", which the journal does not have")
    return _Finding(part="sealed state", text=text, is_good=is_good)


def _archive(settings: NotarySettings, journal: _Reading, end: Position) -> _Finding:
    try:
        archive = Archive.open(journal, settings.ledger)
        try:
            text = archive.check(end)
        finally:
            archive.close()
    except AdytonError as error:
        text = str(error)
    if text:
        advice = "remove index.db and nodes, and a start makes them anew"
        return _Finding(part="index", text=f"{text}: {advice}", is_good=False)
    return _Finding(part="index", text="leads to what it should", is_good=True)
