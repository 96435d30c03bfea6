"""A notary whose disk becomes read-only under it, as a file system does that found itself damaged.

Run as a module in the notary's place. While the file that ``ADYTON_TEST_READ_ONLY`` names is there,
what opens or changes a file of the name that it holds fails as it does then. Databases write by
themselves and are not touched: what limits them is the size of files (``RLIMIT_FSIZE``).
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adyton.notary.server import main

SWITCH = Path(os.environ["ADYTON_TEST_READ_ONLY"])
CHANGES = os.O_WRONLY | os.O_RDWR


def _check(path: str) -> None:
    if SWITCH.exists() and SWITCH.read_text() in path:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def _opened(open_file: Callable[..., int]) -> Callable[..., int]:
    def opened(path: Any, flags: int, *arguments: Any, **named: Any) -> int:
        if flags & CHANGES:
            _check(os.fspath(path))
        return open_file(path, flags, *arguments, **named)

    return opened


def _changed(change: Callable[..., Any]) -> Callable[..., Any]:
    def changed(descriptor: int, *arguments: Any) -> Any:
        _check(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        return change(descriptor, *arguments)

    return changed


if __name__ == "__main__":
    # This is the fake's own process, made for this; the tests' own is left as it is.
    os.open = _opened(os.open)
    os.pwrite = _changed(os.pwrite)
    os.fdatasync = _changed(os.fdatasync)
    main()
