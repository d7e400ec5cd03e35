"""The log's tables and how its database is opened. SQL stays portable; what is SQLite's own is in `open_engine`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pysqlite3
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
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
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.engine import URL

MIGRATIONS = Path(__file__).parent.parent / "migrations"
REVISION = "0001"
"""The schema that this code reads and writes: the newest file in `service/migrations/versions`."""

OLDEST_SQLITE = (3, 51, 3)
"""Older ones can corrupt a write-ahead log that several connections write and checkpoint (WAL-reset race)."""

_READER_WAIT_SECONDS = 5.0

_NOT_SCREENINGS = text("kind <> 'screening'")
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

log_head = Table(
    "log_head",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("last_at", String(27), nullable=False),
)

log_checkpoint = Table(
    "log_checkpoint",
    metadata,
    Column("size", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
)

# Written only to see whether the disk takes as much as a commit needs; a table of its own keeps the head small.
log_probe = Table(
    "log_probe",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("filling", LargeBinary, nullable=False),
)


class LogError(RuntimeError):
    """The log cannot be used as it is; one line, without case data."""


def open_engine(database: Path) -> Engine:
    """An engine for the SQLite file, in WAL mode with every commit on disk before it returns. Raises `LogError`."""
    if pysqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise LogError(
            f"SQLite {pysqlite3.sqlite_version} is too old: it can corrupt the log; "
            f"{'.'.join(map(str, OLDEST_SQLITE))} or newer comes with the locked pysqlite3"
        )
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(database)),
        module=pysqlite3,
        # Only readers may meet a busy database, and only while another recovers it after a crash: writers queue on
        # the lock file.
        connect_args={"timeout": _READER_WAIT_SECONDS},
        pool_size=4,
        max_overflow=-1,
        hide_parameters=True,  # error messages must not hold case data
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver would begin transactions by rules of its own
    for pragma in (
        "page_size=4096",
        "journal_mode=WAL",
        "synchronous=FULL",
        "wal_autocheckpoint=2000",  # pages: 16 MB
        "journal_size_limit=67108864",
        "cache_size=-8000",
        # Also of every writer: a page that is split keeps a copy of what it held, which no later erasure would reach.
        "secure_delete=FAST",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


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


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
