"""The log in one SQLite file: the embedded default. Processes queue on a lock file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pysqlite3
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL

from service.log.databases.database import ENTRY_NAMES, EntryRow, Transaction
from service.log.lock import LockFile
from service.log.schema import LogError

OLDEST_SQLITE = (3, 51, 3)
"""Older ones can corrupt a write-ahead log that several connections write and checkpoint (WAL-reset race)."""

_READER_WAIT_SECONDS = 5.0
_PROBE_BYTES = 65_536
_EMPTY_PROBE = "DELETE FROM log_probe"
_FILL_PROBE = "INSERT INTO log_probe (id, filling) VALUES (1, ?)"


class SqliteTransaction(Transaction):
    """The statements as SQLite runs them best."""

    def add_entries(self, rows: Sequence[EntryRow]) -> None:
        """Inserts the batch by one statement.

        The driver lets go of the interpreter at every statement; on a busy worker each time costs the wait for another
        thread's turn, with the log's lock held.
        """
        self._execute(_insert_entries(len(rows)), [value for row in rows for value in row])

    def probe(self) -> None:
        """Writes 64 kB, to see whether the disk takes them."""
        self._execute(_EMPTY_PROBE)
        self._execute(_FILL_PROBE, (os.urandom(_PROBE_BYTES),))


class SqliteDatabase:
    """A SQLite file in WAL mode, with every commit on disk before it returns."""

    failures: tuple[type[Exception], ...] = (pysqlite3.Error,)
    repeated: type[Exception] = pysqlite3.IntegrityError

    def __init__(self, path: Path) -> None:
        """Opens nothing yet but the lock file. Raises `LogError` where SQLite is too old."""
        if pysqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise LogError(
                f"SQLite {pysqlite3.sqlite_version} is too old: it can corrupt the log; "
                f"{'.'.join(map(str, OLDEST_SQLITE))} or newer comes with the locked pysqlite3"
            )
        self.name = str(path)
        self.lock = LockFile(path.with_name(path.name + ".lock"))
        self.engine = create_engine(
            URL.create("sqlite+pysqlite", database=str(path)),
            module=pysqlite3,
            # Only readers may meet a busy database, and only while another recovers it after a crash: writers queue on
            # the lock file.
            connect_args={"timeout": _READER_WAIT_SECONDS},
            pool_size=4,
            max_overflow=-1,
            hide_parameters=True,  # error messages must not hold case data
        )
        event.listen(self.engine, "connect", _configure)
        event.listen(self.engine, "begin", _begin)
        self._connection: Any = None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See `Database`."""
        try:
            if self._connection is None:
                self._connection = self.engine.raw_connection()
            execute = self._connection.cursor().execute
            execute("BEGIN IMMEDIATE")
            yield SqliteTransaction(execute)
            execute("COMMIT")
        except BaseException:
            self.disconnect()
            raise

    def disconnect(self) -> None:
        """See `Database`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


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


@cache
def _insert_entries(count: int) -> str:
    places = f"({', '.join('?' * len(ENTRY_NAMES))})"
    return " ".join(("INSERT INTO log_entry", f"({', '.join(ENTRY_NAMES)})", "VALUES", ", ".join([places] * count)))
