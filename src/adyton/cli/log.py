"""``adyton log``: walk along proofs, follow checkpoints, find a proof's place."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.text import Text

from adyton.adapters.time_authority import ask_time
from adyton.cli.contact import talk
from adyton.cli.development import write_whole
from adyton.cli.exits import NO, YES
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.terminal import console, plain, print_json, print_whole, progress, table
from adyton.codec.javascript import Value, loads
from adyton.codec.json import JsonObject
from adyton.codec.pem import read_roots
from adyton.codec.text import to_base64
from adyton.crypto.timestamp import read_timestamp
from adyton.errors import MalformedError
from adyton.ledger.checkpoint import (
    MAX_CHECKPOINT_BYTES,
    Checkpoint,
    NoteKey,
    open_checkpoint,
    unverified_checkpoint,
)
from adyton.ledger.log_proof import LogProof, check_included
from adyton.ledger.proof import Proof
from adyton.ledger.walk import Walk, walk
from adyton.model.verdict import shown
from adyton.sdk.files import from_file
from adyton.sdk.log import (
    extends,
    log_proof,
    logged,
    newest_checkpoint,
    note_keys,
    origin_of,
    stamped_checkpoint,
)
from adyton.sdk.proofs import find_proof
from adyton.sdk.transport import Transport

__all__ = ["CheckpointOptions", "Range", "run_checkpoint", "run_prove", "run_walk"]

_MAX_FILE: Final = 256 * 1024 * 1024
_MAX_ROOTS: Final = 128 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Which proofs of which notary."""

    url: str
    ca_file: Path | None
    first: int
    last: int | None


def run_walk(files: tuple[Path, ...], asked: Range, *, complete: bool, as_json: bool) -> int:
    """Print what the proofs say together, and return the exit code."""
    with progress("walking") as tell:
        if files:
            found = walk(_from_files(files))
        else:
            found = talk(
                asked.url, asked.ca_file, lambda gateway: walk(_from_notary(asked, gateway, tell))
            )
    if as_json:
        print_json(found.to_json())
    else:
        _show_walk(found)
    return YES if (found.is_complete if complete else found.is_consistent) else NO


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointOptions:
    """Which checkpoint is asked for, and what it is compared with; nothing is read yet."""

    url: str
    ca_file: Path | None
    keys: tuple[str, ...]
    old: Path | None
    out: Path | None
    stamped: bool
    authority: Path | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Followed:
    """A checkpoint that holds, with what it extends and what its stamp says."""

    note: bytes
    new: Checkpoint
    before: Checkpoint | None
    stamp: bytes
    stamped_at: datetime | None

    @property
    def is_earlier(self) -> bool:
        """Whether it is older than what it was compared with."""
        return self.before is not None and self.new.size < self.before.size


def run_checkpoint(asked: CheckpointOptions) -> int:
    """Print the newest checkpoint once it holds, and return the exit code."""
    named = tuple(NoteKey.from_text(text) for text in asked.keys)
    if asked.authority is not None and not asked.stamped:
        raise OptionMalformedError("--authority is for a checkpoint with a time stamp: --stamped")
    roots = () if asked.authority is None else from_file(asked.authority, _roots, _MAX_ROOTS)
    with progress(f"asking {asked.url}"):
        found = talk(
            asked.url, asked.ca_file, lambda gateway: _follow(asked, named, roots, gateway)
        )
    if asked.out is not None:
        write_whole(asked.out, found.note)
        if found.stamp:
            write_whole(asked.out.with_name(f"{asked.out.name}.tsr"), found.stamp)
    if asked.as_json:
        print_json(_as_json(found, asked, is_named=bool(named)))
    else:
        _show_checkpoint(found, is_named=bool(named))
    return YES


def _follow(
    asked: CheckpointOptions,
    named: tuple[NoteKey, ...],
    roots: tuple[bytes, ...],
    gateway: Transport,
) -> _Followed:
    stamp, stamped_at = b"", None
    if asked.stamped:
        note, stamp = gateway.run(stamped_checkpoint())
    else:
        note = gateway.run(newest_checkpoint())
    if roots:
        stamped_at = read_timestamp(stamp, message=note, authorities=roots)
    accepted = named or gateway.run(note_keys(origin_of(note)))
    new = open_checkpoint(note, keys=accepted)
    before = None
    if asked.old is not None:
        before = from_file(
            asked.old, lambda data: open_checkpoint(data, keys=accepted), MAX_CHECKPOINT_BYTES
        )
        # A stamped one may be older than what one has: then that has to extend it.
        is_earlier = asked.stamped and new.size < before.size
        gateway.run(extends(new, before) if is_earlier else extends(before, new))
    return _Followed(note=note, new=new, before=before, stamp=stamp, stamped_at=stamped_at)


def _as_json(found: _Followed, asked: CheckpointOptions, *, is_named: bool) -> JsonObject:
    made: JsonObject = {
        "origin": found.new.origin,
        "size": str(found.new.size),
        "rootB64": to_base64(found.new.root),
        "extends": None,
        "keys": "named" if is_named else "from the notary",
    }
    if found.before is not None:
        made["extendedBy" if found.is_earlier else "extends"] = str(found.before.size)
    if asked.stamped:
        made["stampB64"] = to_base64(found.stamp)
        made["stampedAt"] = None if found.stamped_at is None else shown(found.stamped_at)
    return made


def run_prove(
    file: Path,
    *,
    url: str,
    ca_file: Path | None,
    stamp: str | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Write where in the log the proof is, once that holds, and return the exit code."""
    proof = Proof.from_json(find_proof(file))
    if (number := proof.number()) is None:
        raise MalformedError(f"{file} has no counter, so it is in no log")

    def find(gateway: Transport) -> tuple[LogProof, Checkpoint]:
        # A stamp that the gateway has is from an earlier day than one that is asked for now.
        place = gateway.run(log_proof(number, stamped=stamp is None))
        keys = gateway.run(note_keys(origin_of(place.note)))
        checkpoint = open_checkpoint(place.note, keys=keys)
        check_included(proof.hash(), index=number - 1, path=place.path, checkpoint=checkpoint)
        return replace(place, index=number - 1), checkpoint

    with progress(f"asking {url}"):
        place, checkpoint = talk(url, ca_file, find)
        if stamp is not None:
            place = replace(place, extra=asyncio.run(ask_time(stamp, place.note)))
    path = out or file.with_name(f"{file.name.removesuffix('.proof.json')}.tlog-proof")
    write_whole(path, place.to_bytes())
    if as_json:
        sizes = {"counter": str(number), "size": str(checkpoint.size)}
        print_json({"file": str(path), **sizes, "stamped": bool(place.extra)})
    else:
        stamped = ", with a time stamp" if place.extra else ""
        log = f"{checkpoint.origin}, of size {checkpoint.size}{stamped}"
        text = f"number {number} is in {log}: {path}"
        console().print(plain(text))
    return YES


def _from_files(files: tuple[Path, ...]) -> Iterator[Value]:
    for file in files:
        value = from_file(file, lambda data: loads(data, limit_bytes=_MAX_FILE), _MAX_FILE)
        documents = value if isinstance(value, list) else [value]
        if not documents:
            raise MalformedError(f"{file} has no proofs")
        for number, document in enumerate(documents, start=1):
            # Another file by mistake says nothing against a notary.
            try:
                Proof.from_json(document)
            except MalformedError as error:
                place = f"{file}, document {number}" if isinstance(value, list) else file
                raise MalformedError(f"{place} is no notary's proof: {error}") from error
            yield document


def _from_notary(asked: Range, gateway: Transport, tell: Callable[[str], None]) -> Iterator[Value]:
    last = asked.last
    if last is None:
        # How many there are to fetch: whether that is signed for is nothing to a walk.
        last = unverified_checkpoint(gateway.run(newest_checkpoint())).size
    if last < asked.first:
        raise OptionMalformedError(f"the log's size is {last}: it has no proof {asked.first}")
    number = asked.first
    while number <= last:
        tell(f"walking: at {number} of {last}")
        found = gateway.run(logged(number, last=last))
        yield from found
        number += len(found)


def _show_walk(found: Walk) -> None:
    out = console()
    made = table("proofs", "from", "to", "epoch")
    for stretch in found.stretches:
        made.add_row(
            str(stretch.count), str(stretch.first), str(stretch.last), plain(stretch.epoch)
        )
    print_whole(made)
    for event in found.events:
        style = "bold red" if event.is_contradiction else "yellow"
        out.print(Text(f"{event.kind}: ", style=style).append_text(plain(event.message)))
    if not found.is_consistent:
        out.print(Text("these proofs cannot be of one honest chain", style="bold red"))
    elif found.is_complete:
        out.print(Text("one chain without gaps", style="bold green"))
    else:
        out.print(Text("nothing contradicts; numbers are missing", style="yellow"))


def _show_checkpoint(found: _Followed, *, is_named: bool) -> None:
    out = console()
    made = table("", "")
    made.show_header = False
    made.add_row(Text("log", style="dim"), plain(found.new.origin))
    made.add_row(Text("size", style="dim"), str(found.new.size))
    made.add_row(Text("root", style="dim"), to_base64(found.new.root))
    if found.stamped_at is not None:
        made.add_row(Text("stamped", style="dim"), shown(found.stamped_at))
    out.print(made)
    if found.before is not None:
        size = found.before.size
        text = (
            f"the log of {size} extends it" if found.is_earlier else f"it extends the log of {size}"
        )
        out.print(Text(text, style="bold green"))
    if not is_named:
        text = "the key is what the notary itself says; name one that you know with --key"
        out.print(Text(text, style="yellow"))
    if found.stamp and found.stamped_at is None:
        text = "nobody checked whose time stamp it has; name the authority's roots with --authority"
        out.print(Text(text, style="yellow"))


def _roots(data: bytes) -> tuple[bytes, ...]:
    return read_roots(data, "an authority's file")
