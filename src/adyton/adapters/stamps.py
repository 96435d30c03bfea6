"""Stamped checkpoints as files, which others can read as well: a folder a log, two files a stamp.

``SIZE.checkpoint`` is the signed note, ``SIZE.tsr`` the authority's answer over it (RFC 3161). They
were verified before they were kept, and are verified again by whoever is shown them.
"""

import os
import re
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from adyton.adapters.ledger.failure import failing
from adyton.adapters.ledger.vault import write_durably

__all__ = ["Stamp", "StampFolder"]

_ANSWER: Final = re.compile(r"([1-9][0-9]{0,18})\.tsr", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A checkpoint over so many proofs, an authority's answer over it, and when it was kept."""

    size: int
    note: bytes = field(repr=False)
    answer: bytes = field(repr=False)
    kept: datetime


class StampFolder:
    """The stamps of logs, by a name for each log. One process writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sizes: dict[str, list[int]] = {}

    def add(self, log: str, stamp: Stamp) -> None:
        """Keep ``stamp``, durably, or raise ``StorageFailedError``."""
        sizes = self._sizes_of(log)
        with failing("stamps"):
            self._folder_of(log).mkdir(mode=0o700, parents=True, exist_ok=True)
            write_durably(self._path(log, stamp.size, "checkpoint"), stamp.note)
            # The second: without it, the first is no stamp.
            answer = self._path(log, stamp.size, "tsr")
            write_durably(answer, stamp.answer)
            os.utime(answer, (stamp.kept.timestamp(), stamp.kept.timestamp()))
        if stamp.size not in sizes:
            insort(sizes, stamp.size)

    def newest(self, log: str) -> Stamp | None:
        """Return the stamp of the longest log, if there is any."""
        sizes = self._sizes_of(log)
        return self._read(log, sizes[-1]) if sizes else None

    def covering(self, log: str, counter: int) -> Stamp | None:
        """Return the first stamp of a log that had the proof with this number, if there is any."""
        sizes = self._sizes_of(log)
        at = bisect_left(sizes, counter)
        return self._read(log, sizes[at]) if at < len(sizes) else None

    def _sizes_of(self, log: str) -> list[int]:
        if (known := self._sizes.get(log)) is None:
            folder = self._folder_of(log)
            with failing("stamps"):
                names = [path.name for path in folder.iterdir()] if folder.exists() else []
            found = [match for name in names if (match := _ANSWER.fullmatch(name))]
            known = self._sizes[log] = sorted(int(match[1]) for match in found)
        return known

    def _read(self, log: str, size: int) -> Stamp:
        answer = self._path(log, size, "tsr")
        with failing("stamps"):
            return Stamp(
                size=size,
                note=self._path(log, size, "checkpoint").read_bytes(),
                answer=answer.read_bytes(),
                kept=datetime.fromtimestamp(answer.stat().st_mtime, UTC),
            )

    def _folder_of(self, log: str) -> Path:
        return self._folder / log

    def _path(self, log: str, size: int, kind: str) -> Path:
        return self._folder_of(log) / f"{size}.{kind}"
