"""The explanation log: entries, head and checkpoints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Makes the tables. There is no way back: an append-only log is never taken down."""
    op.create_table(
        "log_entry",
        sa.Column("idx", BIG, primary_key=True, autoincrement=False),
        sa.Column("entry_id", sa.String(36), nullable=False, unique=True),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=True),
        sa.Column("payload", sa.LargeBinary, nullable=True),
        sa.Column("dictionary", sa.Integer, nullable=True),
        sa.Column("unique_key", sa.String(255), nullable=True),
    )
    others, named = sa.text("kind <> 'screening'"), sa.text("unique_key IS NOT NULL")
    op.create_index("log_entry_kind", "log_entry", ["kind", "idx"], sqlite_where=others, postgresql_where=others)
    op.create_index(
        "log_entry_unique_key", "log_entry", ["unique_key"], unique=True, sqlite_where=named, postgresql_where=named
    )
    op.create_table(
        "log_dictionary",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "log_head",
        sa.Column(
            "id", sa.Integer, sa.CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False
        ),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
        sa.Column("last_at", sa.String(27), nullable=False),
    )
    op.create_table(
        "log_checkpoint",
        sa.Column("size", BIG, primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "log_probe",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("filling", sa.LargeBinary, nullable=False),
    )
