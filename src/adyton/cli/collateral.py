"""``adyton evidence collateral``: ask the vendor for what evidence needs beside it, and keep it."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import httpx
from rich.text import Text

from adyton.adapters.collateral import CollateralFolder, Fetcher
from adyton.adapters.installation import find_installation
from adyton.cli.development import write_whole
from adyton.cli.exits import YES
from adyton.cli.predicates import OptionMalformedError
from adyton.cli.terminal import console, notes, plain, print_json, progress, table
from adyton.evidence.collateral import NO_COLLATERAL, Collateral
from adyton.evidence.nvidia.serialized import split_devices
from adyton.model.verdict import shown
from adyton.sdk.evidence import read_evidence

__all__ = ["one_of", "run_cache", "run_fetch"]


def run_fetch(
    file: Path, *, out: Path | None, evaluation_number: int | None, device: int | None
) -> int:
    """Fetch the collateral for the evidence in ``file``, or take it from the cache.

    ``device`` is which one, from 1, of a file with several.
    """
    evidence = read_evidence(file)
    if device is not None:
        evidence = one_of(evidence, device)
    with progress("asking the vendor"):
        found = asyncio.run(_fetched(evidence, evaluation_number))
    if found == NO_COLLATERAL:
        notes().print(plain("this evidence needs no collateral: its vendor's root is the pinned"))
    if out is None:
        print_json(found.to_json())
    else:
        write_whole(out, found.to_bytes())
        console().print(plain(f"wrote {out}"))
    return YES


def one_of(evidence: bytes, number: int) -> bytes:
    """Return the file of one device of those in a file of NVIDIA's tools, counted from 1."""
    pieces = split_devices(evidence)
    if not 1 <= number <= len(pieces):
        raise OptionMalformedError(f"there is no device {number}: the file has {len(pieces)}")
    return pieces[number - 1]


async def _fetched(evidence: bytes, evaluation_number: int | None) -> Collateral:
    async with httpx.AsyncClient() as client:
        return await _folder().collateral(
            Fetcher(client),
            evidence,
            now=datetime.now(UTC),
            evaluation_number=evaluation_number,
        )


def _folder() -> CollateralFolder:
    installation = find_installation(os.environ, home=Path.home())
    return CollateralFolder(installation.cache / "collateral")


def run_cache(*, clear: bool, as_json: bool) -> int:
    """Print what is kept, or remove it."""
    folder = _folder()
    if clear:
        console().print(plain(f"removed {folder.clear()}"))
        return YES
    entries = folder.entries()
    if as_json:
        print_json({"entries": [str(path) for path in entries]})
        return YES
    made = table("fetched", "bytes", "file")
    for path in entries:
        status = path.stat()
        fetched = shown(datetime.fromtimestamp(int(status.st_mtime), tz=UTC))
        made.add_row(fetched, Text(f"{status.st_size:,}", justify="right"), plain(path))
    console().print(made)
    return YES
