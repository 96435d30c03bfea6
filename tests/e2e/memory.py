"""Looking for a marker in everything that a process has in memory, in every form it could be in."""

import base64
import os
import re
import signal
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

from adyton.crypto.hashing import FIELD_MODULUS

_MAPPING: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)")
# Of the kernel's own making: not this process's data, and not readable.
_KERNELS: Final = ("[vvar]", "[vvar_vclock]", "[vsyscall]")


def forms_of_text(marker: str) -> dict[str, bytes]:
    """Return every form in which a text may lie in memory or in a file."""
    data = marker.encode()
    forms = {
        "text": data,
        "utf-16": marker.encode("utf-16-le"),
        "utf-32": marker.encode("utf-32-le"),
        "hex": data.hex().encode(),
        "capital hex": data.hex().upper().encode(),
        "reversed": data[::-1],
    }
    # A fragment of base64 depends on where the marker stands among the three bytes of a group:
    # what does not depend on its neighbours is looked for, in both alphabets.
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + data)
        inner = encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]
        forms[f"base64 at {shift}"] = inner
        forms[f"base64url at {shift}"] = inner.translate(bytes.maketrans(b"+/", b"-_"))
    return forms


def forms_of_number(number: int, *, scale: int = 2) -> dict[str, bytes]:
    """Return every form in which an amount may lie in memory or in a file."""
    forms = {"amount double": struct.pack("<d", number)}
    # In minor units too, which is what circuits and columns hold.
    for name, value in (("amount", number), ("minor amount", number * 10**scale)):
        forms[f"{name} digits"] = str(value).encode()
        forms[f"{name} hex"] = f"{value:x}".encode()
        forms[f"{name} little-endian"] = value.to_bytes(8, "little")
        forms[f"{name} big-endian"] = value.to_bytes(8, "big")
        # CPython keeps integers in digits of 30 bits.
        forms[f"{name} python"] = struct.pack("<II", value & (2**30 - 1), value >> 30)
    return forms


def forms_in_fields(number: int, *, scale: int = 2) -> dict[str, bytes]:
    """Return the forms in which the prover holds an amount: Montgomery's, in four words."""
    minor = number * 10**scale
    forms = {}
    # The circuit looks at a signed integer as at an unsigned one, which begins at -2^63.
    for name, value in (("", minor), ("shifted ", minor + 2**63)):
        element = (value << 256) % FIELD_MODULUS
        forms[f"{name}montgomery"] = element.to_bytes(32, "little")
    return forms


def find(data: bytes, forms: Mapping[str, bytes]) -> set[str]:
    """Return the names of the forms that are in ``data``."""
    return {name for name, form in forms.items() if form in data}


def find_in_process(pid: int, forms: Mapping[str, bytes]) -> set[str]:
    """Return the names of the forms that are in the memory of a process, all of its mappings.

    What it has open and nobody sees by name is looked at as well. The process is stopped meanwhile.
    Raises ``OSError`` where its memory cannot be read.
    """
    found: set[str] = set()
    with _stopped(pid):
        for start, end in _mappings(pid):
            found |= find(_read(pid, start, end), forms)
        for path in Path(f"/proc/{pid}/fd").iterdir():
            if path.is_file():
                found |= find(path.read_bytes(), forms)
    return found


def mapped_bytes(pid: int) -> int:
    """Return how much of a process ``find_in_process`` looks at."""
    return sum(end - start for start, end in _mappings(pid))


def find_in_files(folders: Iterable[Path], forms: Mapping[str, bytes]) -> dict[str, set[str]]:
    """Return the forms by file, for every file under ``folders``, by name and by content."""
    found = {}
    for folder in folders:
        for path in [folder, *folder.rglob("*")]:
            here = find(str(path).encode(), forms)
            # A file may go while we look: temporary ones do.
            with suppress(OSError):
                if path.is_file() and not path.is_symlink():
                    here |= find(path.read_bytes(), forms)
            if here:
                found[str(path)] = here
    return found


def family(pid: int) -> dict[int, str]:
    """Return a process and everything below it: the command by process id."""
    found = {}
    root = psutil.Process(pid)
    for process in [root, *root.children(recursive=True)]:
        with suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE:
                found[process.pid] = " ".join(process.cmdline())
    return found


@contextmanager
def _stopped(pid: int) -> Iterator[None]:
    """Hold a process still, so that its mappings stay what they are."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _mappings(pid: int) -> Iterator[tuple[int, int]]:
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        match = _MAPPING.match(line)
        if match is None:
            raise ValueError(f"a line of maps is {line!r}")
        start, end, rights, name = match.groups()
        if rights[0] == "r" and name not in _KERNELS:
            yield int(start, 16), int(end, 16)


def _read(pid: int, start: int, end: int) -> bytes:
    """Return a mapping's bytes; only what is in memory, which is all that was ever written."""
    pages = bytearray()
    size = os.sysconf("SC_PAGE_SIZE")
    with Path(f"/proc/{pid}/pagemap").open("rb") as map_, Path(f"/proc/{pid}/mem").open("rb") as m:
        map_.seek(start // size * 8)
        entries = memoryview(map_.read((end - start) // size * 8)).cast("Q")
        place = start
        while place < end:
            first = (place - start) // size
            last = first
            is_there = bool(entries[first] >> 62)
            while last < len(entries) and bool(entries[last] >> 62) == is_there:
                last += 1
            length = (last - first) * size
            if is_there:
                m.seek(place)
                pages += m.read(length)
            place += length
    return bytes(pages)
