"""The log's tables, the same in every database, and how they are brought up to date."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    inspect,
    select,
    text,
)

MIGRATIONS = Path(__file__).parent.parent / "migrations"
REVISION = "0003"
"""The schema that this code reads and writes: the newest file in `service/migrations/versions`."""

NOT_SCREENINGS = text("kind <> 'screening'")
"""The condition of the index on kinds. SQLite uses that index only for a query that says the same, word for word."""
_NAMED = text("unique_key IS NOT NULL")

metadata = MetaData()

log_entry = Table(
    "log_entry",
    metadata,
    Column("idx", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("entry_id", String(36), nullable=False, unique=True),
    Column("kind", String(64), nullable=False),
    Column("at", String(27), nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("salt", LargeBinary, nullable=True),  # NULL once erased
    Column("payload", LargeBinary, nullable=True),  # zstd; NULL once erased
    Column("dictionary", Integer, nullable=True),  # what the payload was packed against
    Column("unique_key", String(255), nullable=True),
    # Partial, so that a screening touches no index that does not serve it: each touched page is written at a commit.
    Index(
        "log_entry_kind",
        "kind",
        "idx",
        sqlite_where=text("kind <> 'screening'"),
        postgresql_where=text("kind <> 'screening'"),
    ),
    Index(
        "log_entry_unique_key",
        "unique_key",
        unique=True,
        sqlite_where=_NAMED,
        postgresql_where=_NAMED,
    ),
)

log_dictionary = Table(
    "log_dictionary",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("content", LargeBinary, nullable=False),
)

# The newest row is the head of the log: with the frontier of its tree, the next commit goes on from there.
log_checkpoint = Table(
    "log_checkpoint",
    metadata,
    Column("size", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("frontier", LargeBinary, nullable=True),  # NULL in those of the first schema, but for the newest
    Column("at", String(27), nullable=True),
)

# Written only to see whether the disk takes as much as a commit needs; PostgreSQL has a way without a table.
log_probe = Table(
    "log_probe",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("filling", LargeBinary, nullable=False),
)


class LogError(RuntimeError):
    """The log cannot be used as it is; one line, without case data."""


class LogLost(LogError):
    """The log is no longer what this process wrote to; the line may be shown to anybody (`/readyz`)."""


def upgrade(engine: Engine) -> None:
    """Brings the schema to `REVISION`; call it under the lock. Raises `LogError` for a database of a newer version."""
    with engine.connect() as connection:
        found = _revision(connection)
    if found == REVISION:
        return
    # Alembic takes as long to import as the rest of the service, and most starts need none of it.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, REVISION)
        except CommandError:
            raise LogError(f"the log's database has schema {found}, which this version does not know") from None


def check_revision(engine: Engine) -> None:
    """Raises `LogError` where the tables are not those that this code reads."""
    with engine.connect() as connection:
        found = _revision(connection)
    if found != REVISION:
        raise LogError(f"the log's database has schema {found}, and this version reads {REVISION}: upgrade either")


def newest_checkpoint(engine: Engine) -> str | None:
    """The newest signed checkpoint; None where no log was begun in this database, whatever its schema."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(log_checkpoint.name):
            return None
        newest = select(log_checkpoint.c.text).order_by(log_checkpoint.c.size.desc()).limit(1)
        return connection.execute(newest).scalar()


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
