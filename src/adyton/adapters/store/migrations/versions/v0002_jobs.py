"""Delegated proofs that wait, are made, or were made lately."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "proving_jobs",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("scheme", sa.String(32), nullable=False),
        sa.Column("target", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True)),
        sa.Column("finished", sa.DateTime(timezone=True)),
        sa.Column("family", sa.String(16)),
        sa.Column("code", sa.String(64)),
        sa.Column("message", sa.String(512)),
        sa.Column("challenge", sa.LargeBinary(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("answer", sa.LargeBinary),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_proving_jobs"),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_proving_jobs_key_id"),
    )
    op.create_index("ix_proving_jobs_key_id", "proving_jobs", ["key_id"])
    op.create_index("ix_proving_jobs_state", "proving_jobs", ["state"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("proving_jobs")
