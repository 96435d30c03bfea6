"""When the registry fetched the collateral that a worker was verified with."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; all collateral that there is was brought by workers."""
    op.add_column("registry_workers", sa.Column("collateral_fetched", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("registry_workers", "collateral_fetched")
