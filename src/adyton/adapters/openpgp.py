"""Opens OpenPGP messages, with Sequoia: the extra ``openpgp``.

What a client sends may be PKESK version 6 and SEIPD version 2, or the older pair of 3 and 1. Inside
may be compressed data, and a kilobyte of it can hold a megabyte: the plaintext goes to a memory
file that the kernel lets grow to the limit and no further. Nothing touches a disk.
"""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from adyton.errors import MalformedError, RejectedError, UnavailableError

if TYPE_CHECKING:
    import types

__all__ = [
    "OpenPgpMissingError",
    "OpenPgpRejectedError",
    "OpenPgpTooLargeError",
    "open_message",
    "require_openpgp",
]

_PATH: Final = "/proc/self/fd/{}"


class OpenPgpMissingError(UnavailableError):
    """The library that opens OpenPGP messages is not installed."""

    code = "openpgp-missing"

    def __init__(self) -> None:
        super().__init__("openpgp messages need a library more: pip install '.[openpgp]'")


class OpenPgpRejectedError(RejectedError):
    """It is no message for this key, or it was changed. Which, nobody is told."""

    code = "openpgp-rejected"

    def __init__(self) -> None:
        super().__init__("the message does not open with this worker's openpgp key")


class OpenPgpTooLargeError(MalformedError):
    """What a message holds is longer than a worker takes."""

    code = "openpgp-too-large"

    def __init__(self, *, limit_bytes: int) -> None:
        super().__init__(f"the openpgp message holds more than {limit_bytes} bytes")


def require_openpgp() -> "types.ModuleType":
    """Return the library, or raise ``OpenPgpMissingError``."""
    try:
        import pysequoia  # noqa: PLC0415  # an extra: most workers do without
    except ImportError as error:
        raise OpenPgpMissingError from error
    return pysequoia


def open_message(message: bytes, *, key: bytes, limit_bytes: int) -> bytes:
    """Return what ``message`` holds, opened with the secret of an ``OpenPgpKey``.

    For a process that does one thing: while it runs, no file of this process may grow beyond
    ``limit_bytes``. Who signed the message, if anybody, is not looked at.

    Raises ``OpenPgpRejectedError``, ``OpenPgpTooLargeError`` or ``OpenPgpMissingError``.
    """
    library = require_openpgp()
    decryptor = library.Tsk.from_bytes(key).decryptor()
    with _memory_file("sealed") as sealed, _memory_file("opened") as opened:
        _write(sealed, message)
        with _files_limited(limit_bytes):
            try:
                library.decrypt_file(_PATH.format(sealed), _PATH.format(opened), decryptor)
            except OSError as error:
                raise OpenPgpTooLargeError(limit_bytes=limit_bytes) from error
            except RuntimeError as error:
                # Its text quotes what it stumbled over, and a stack trace: none of it goes on.
                raise OpenPgpRejectedError from error
        return _read(opened)


@contextmanager
def _memory_file(name: str) -> Iterator[int]:
    descriptor = os.memfd_create(name, os.MFD_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _files_limited(limit_bytes: int) -> Iterator[None]:
    """Have the kernel refuse (EFBIG: Python ignores the signal) what would make a file longer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = limit_bytes if hard == resource.RLIM_INFINITY else min(limit_bytes, hard)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _read(descriptor: int) -> bytes:
    size, data = os.fstat(descriptor).st_size, bytearray()
    while len(data) < size:
        data += os.pread(descriptor, size - len(data), len(data))
    return bytes(data)
