"""Brings a database to the schema of this version."""

from importlib.resources import as_file, files

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adyton.adapters.store.failure import StoreUnavailableError
from adyton.adapters.store.schema import HEAD

__all__ = ["migrate"]

# Any number that all gateways agree on: pg_advisory_xact_lock(bigint).
_LOCK = 0x61_6479_746F_6E


async def migrate(engine: AsyncEngine) -> None:
    """Run the migrations that ``engine``'s database lacks, all or none.

    Two gateways that start at once wait for each other. A database that a newer version has written
    is left alone: ``StoreUnavailableError``.
    """
    async with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    # The common case costs one query, and leaves Alembic out of memory.
    if _version(connection) == HEAD:
        return
    from alembic import command  # noqa: PLC0415  # see above
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    with as_file(files("adyton.adapters.store") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, HEAD)
        except CommandError as error:
            reason = "its schema is not one that this version knows"
            raise StoreUnavailableError(reason=reason) from error


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
