"""Opening the anchor that the settings name."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from adyton.adapters.anchors.sqlite import SqliteAnchor
from adyton.adapters.environment import SettingMalformedError
from adyton.ledger.ports import Anchor

__all__ = ["open_anchor"]

_SETTING: Final = "ADYTON_ANCHORS"


@contextmanager
def open_anchor(addresses: Sequence[str], *, folder: Path, ledger: str) -> Iterator[Anchor]:
    """Yield the anchor at ``addresses``; several of them are a quorum.

    An address is ``sqlite`` (in ``folder``), ``sqlite:///path``, ``postgresql://…`` or
    ``dynamodb://table?region=…``. Raises ``SettingMalformedError`` or ``AnchorUnavailableError``.
    """
    with ExitStack() as stack:
        anchors = [_open(stack, address, folder=folder, ledger=ledger) for address in addresses]
        yield anchors[0]


def _open(stack: ExitStack, address: str, *, folder: Path, ledger: str) -> Anchor:
    if address == "sqlite" or address.startswith("sqlite:///"):
        path = (
            Path(address.removeprefix("sqlite:///")) if "://" in address else folder / "anchor.db"
        )
        sqlite = SqliteAnchor(path.absolute(), ledger=ledger)
        stack.callback(sqlite.close)
        return sqlite
    reason = "has an address that is not sqlite, postgresql:// or dynamodb://"
    raise SettingMalformedError(name=_SETTING, reason=reason)
