"""Files and other forms that documents come in, read within limits."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias, TypeVar

from adyton.codec.json import Json
from adyton.errors import MalformedError, UnavailableError

__all__ = ["FileUnreadableError", "Source", "from_file", "unreadable"]

Source: TypeAlias = bytes | str | os.PathLike[str] | Mapping[str, Json]
_T = TypeVar("_T")


class FileUnreadableError(UnavailableError):
    """A file that was named cannot be read."""

    code = "file-unreadable"

    def __init__(self, *, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be read: {reason}")
        self.path = path


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Raise ``FileUnreadableError`` where the system raises ``OSError`` in the block."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileUnreadableError(path=path, reason=reason) from error


def from_file(path: Path, read: Callable[[bytes], _T], limit_bytes: int) -> _T:
    """Return what ``read`` makes of a file; raise as it does, or ``FileUnreadableError``."""
    with unreadable(path), path.open("rb") as file:
        data = file.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        raise MalformedError(f"{path} has more than {limit_bytes} bytes")
    try:
        return read(data)
    except MalformedError as error:
        # Two files are given: which of them it is, is half of the message.
        raise MalformedError(f"{path}: {error}") from error
