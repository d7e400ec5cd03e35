"""PostgreSQL keeps samples of a column's values as statistics, where no erasure would reach them."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keeps no statistics of what erasure removes, and forgets those there are."""
    if op.get_bind().dialect.name == "postgresql":
        for column in ("salt", "payload", "unique_key"):
            op.execute(f"ALTER TABLE log_entry ALTER COLUMN {column} SET STATISTICS 0")
        op.execute("ANALYZE log_entry")
