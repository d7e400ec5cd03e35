"""The newest checkpoint is the head, so that a service that appends needs to insert and to read, and nothing else."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Moves frontier and time of the head into the newest checkpoint."""
    op.add_column("log_checkpoint", sa.Column("frontier", sa.LargeBinary, nullable=True))
    op.add_column("log_checkpoint", sa.Column("at", sa.String(27), nullable=True))
    op.execute(
        "UPDATE log_checkpoint SET frontier = (SELECT frontier FROM log_head), at = (SELECT last_at FROM log_head) "
        "WHERE size = (SELECT size FROM log_head)"
    )
    op.drop_table("log_head")
