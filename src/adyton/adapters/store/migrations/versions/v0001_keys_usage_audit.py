"""Keys, their use by day, and the audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first three tables."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True)),
        sa.Column("revoked", sa.DateTime(timezone=True)),
        sa.Column("per_minute", sa.Integer),
        sa.Column("in_flight", sa.Integer),
        sa.Column("per_day", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_table(
        "key_usage",
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("used", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "day", name="pk_key_usage"),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_key_usage_key_id"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("endpoint", sa.String(32), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("provider", sa.String(128), nullable=False),
        sa.Column("provider_digest", sa.String(64), nullable=False),
        sa.Column("circuit", sa.String(64), nullable=False),
        sa.Column("answer", sa.Boolean),
        sa.Column("public_inputs", sa.JSON),
        sa.Column("proof", sa.String(64), nullable=False),
        sa.Column("public_inputs_digest", sa.String(64), nullable=False),
        sa.Column("statement", sa.String(64), nullable=False),
        sa.Column("transcript", sa.String(64), nullable=False),
        sa.Column("manifest", sa.String(64), nullable=False),
        sa.Column("timings", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_audit_key_id"),
    )
    op.create_index("ix_audit_time", "audit", ["time"])
    op.create_index("ix_audit_key_id", "audit", ["key_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("audit")
    op.drop_table("key_usage")
    op.drop_table("api_keys")
