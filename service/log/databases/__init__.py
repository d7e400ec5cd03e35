"""Where the log is kept: SQLite beside the service, or PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from service.log.databases.database import Database


def open_database(where: Path | str, make: bool = True) -> Database:
    """The database at the path of a SQLite file, or at a `postgresql://` URL. Raises `LogError`.

    `make` lets the first connection make a file that is not there.
    """
    # Each driver is loaded where it is used: a worker has one of them.
    if isinstance(where, Path):
        from service.log.databases.sqlite import SqliteDatabase

        return SqliteDatabase(where, make)
    from service.log.databases.postgresql import PostgresDatabase

    return PostgresDatabase(where)
