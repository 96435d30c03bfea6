"""Alembic's environment: it runs inside the transaction that ``migration`` began."""

from alembic import context

from adyton.adapters.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # The transaction is the caller's: Alembic must neither begin nor commit one.
    transactional_ddl=False,
)
context.run_migrations()
