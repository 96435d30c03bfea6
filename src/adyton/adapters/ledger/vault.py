"""The sealed state as a file, replaced whole: a reader finds the old value or the new one."""

import os
import secrets
from pathlib import Path
from typing import Final

from adyton.adapters.ledger.failure import failing
from adyton.crypto.aead import AEAD_KEY_SIZE, SealBrokenError, open_value, seal_value
from adyton.errors import MalformedError
from adyton.ledger.errors import SealedStateError

__all__ = ["FileVault", "development_key"]

_USE: Final = "adyton/notary/sealed-state/v1"
_NONCE_SIZE: Final = 12
_LIMIT: Final = 1024 * 1024


class FileVault:
    """A file that only the holder of ``key`` can have written."""

    def __init__(self, path: Path, *, key: bytes) -> None:
        self._path, self._key = path, key

    def load(self) -> bytes | None:
        """Return the value, or ``None`` where none was ever stored."""
        try:
            with failing("sealed state"):
                data = self._path.read_bytes()[:_LIMIT] if self._path.exists() else None
            return None if data is None else open_value(data, key=self._key, use=_USE)
        except (SealBrokenError, MalformedError) as error:
            raise SealedStateError(reason="was not written by this notary, or changed") from error

    def store(self, value: bytes) -> None:
        """Replace the value, durably."""
        sealed = seal_value(value, key=self._key, nonce=secrets.token_bytes(_NONCE_SIZE), use=_USE)
        with failing("sealed state"):
            write_durably(self._path, sealed)


def development_key(folder: Path) -> bytes:
    """Return the key that stands in for a platform's sealing key; make it if there is none.

    It lies beside what it seals: it keeps out mistakes, and nobody who can read the folder.
    """
    path = folder / "insecure-sealing-key"
    with failing("sealing key"):
        if not path.exists():
            write_durably(path, secrets.token_bytes(AEAD_KEY_SIZE))
        key = path.read_bytes()
    if len(key) != AEAD_KEY_SIZE:
        raise SealedStateError(reason="has a key beside it that is damaged")
    return key


def write_durably(path: Path, data: bytes) -> None:
    """Put ``data`` in the place of the file at ``path``, durably and as a whole."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
