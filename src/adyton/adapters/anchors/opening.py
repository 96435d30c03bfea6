"""Opening the anchor that the settings name."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from adyton.adapters.anchors.dynamodb import DynamodbAnchor
from adyton.adapters.anchors.patience import PatientAnchor
from adyton.adapters.anchors.quorum import QuorumAnchor
from adyton.adapters.anchors.sqlite import SqliteAnchor
from adyton.adapters.environment import SettingMalformedError
from adyton.errors import MalformedError
from adyton.ledger.ports import Anchor

__all__ = ["open_anchor"]

_SETTING: Final = "ADYTON_ANCHORS"


@contextmanager
def open_anchor(
    addresses: Sequence[str],
    *,
    folder: Path,
    ledger: str,
    patience: timedelta = timedelta(seconds=10),
) -> Iterator[Anchor]:
    """Yield the anchor at ``addresses``; several of them are a quorum.

    One that does not answer is asked again for ``patience``. An address is ``sqlite`` (in
    ``folder``), ``sqlite:///path``, ``postgresql://…`` or ``dynamodb://table?region=…``. Raises
    ``SettingMalformedError`` or ``AnchorUnavailableError``.
    """
    with ExitStack() as stack:
        anchors = [_open(stack, address, folder=folder, ledger=ledger) for address in addresses]
        if len(anchors) == 1:
            yield PatientAnchor(anchors[0], patience=patience)
            return
        quorum = QuorumAnchor(anchors)
        stack.callback(quorum.close)
        yield PatientAnchor(quorum, patience=patience)


def _open(stack: ExitStack, address: str, *, folder: Path, ledger: str) -> Anchor:
    if address == "sqlite" or address.startswith("sqlite:///"):
        path = (
            Path(address.removeprefix("sqlite:///")) if "://" in address else folder / "anchor.db"
        )
        sqlite = SqliteAnchor(path.absolute(), ledger=ledger)
        stack.callback(sqlite.close)
        return sqlite
    if address.startswith(("postgresql://", "postgres://")):
        # Most notaries have their anchor in a file, and do without a database's driver.
        from adyton.adapters.anchors.postgresql import PostgresqlAnchor  # noqa: PLC0415

        postgresql = PostgresqlAnchor(address, ledger=ledger)
        stack.callback(postgresql.close)
        return postgresql
    if address.startswith("dynamodb://"):
        return _open_dynamodb(stack, address, ledger=ledger)
    reason = "has an address that is not sqlite, postgresql:// or dynamodb://"
    raise SettingMalformedError(name=_SETTING, reason=reason)


def _open_dynamodb(stack: ExitStack, address: str, *, ledger: str) -> Anchor:
    try:
        dynamodb = DynamodbAnchor(address, ledger=ledger)
    except MalformedError as error:
        raise SettingMalformedError(name=_SETTING, reason=str(error)) from error
    stack.callback(dynamodb.close)
    return dynamodb
