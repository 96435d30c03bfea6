"""The registry of workers."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make its four tables."""
    op.create_table(
        "registry_workers",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(16), nullable=False),
        sa.Column("endpoint", sa.String(256), nullable=False),
        sa.Column("manifest_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("reason", sa.String(256), nullable=False),
        sa.Column("registered", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat", sa.DateTime(timezone=True), nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.Column("manifest", sa.LargeBinary, nullable=False),
        sa.Column("challenge", sa.LargeBinary(64), nullable=False),
        sa.Column("evidence", sa.LargeBinary, nullable=False),
        sa.Column("collateral", sa.LargeBinary, nullable=False),
        sa.Column("technology", sa.String(32)),
        sa.Column("platform", sa.String(32)),
        sa.Column("is_genuine", sa.Boolean),
        sa.Column("signed_sha256", sa.LargeBinary(32)),
        sa.Column("verified", sa.DateTime(timezone=True)),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name="pk_registry_workers"),
        sa.ForeignKeyConstraint(["owner"], ["api_keys.id"], name="fk_registry_workers_owner"),
    )
    op.create_index("ix_registry_workers_owner", "registry_workers", ["owner"])
    op.create_table(
        "registry_measurements",
        sa.Column("worker", sa.String(64), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.LargeBinary(64), nullable=False),
        sa.PrimaryKeyConstraint("worker", "name", name="pk_registry_measurements"),
        sa.ForeignKeyConstraint(
            ["worker"], ["registry_workers.id"], name="fk_registry_measurements_worker"
        ),
    )
    op.create_index("ix_registry_measurements_value", "registry_measurements", ["value"])
    op.create_table(
        "registry_challenges",
        sa.Column("challenge", sa.LargeBinary(64), nullable=False),
        sa.Column("owner", sa.String(16), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("challenge", name="pk_registry_challenges"),
        sa.ForeignKeyConstraint(["owner"], ["api_keys.id"], name="fk_registry_challenges_owner"),
    )
    op.create_index("ix_registry_challenges_owner", "registry_challenges", ["owner"])
    op.create_table(
        "registry_evidence",
        sa.Column("signed_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("signed_sha256", name="pk_registry_evidence"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("registry_evidence")
    op.drop_table("registry_challenges")
    op.drop_table("registry_measurements")
    op.drop_table("registry_workers")
