"""The log in one SQLite file: the embedded default. Processes queue on a lock file.

SQLite goes on writing to files that were removed or renamed under it, and what it writes there is lost when the process
ends. So the writer looks before each commit, and again before it is acknowledged, whether the files that it has open
still have their names. Where they have not, it keeps its connection, which may be the last way to them: the log goes on
once the same files are back, or after a restart.
"""

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
from service.log.schema import LogError, LogLost

OLDEST_SQLITE = (3, 51, 3)
"""Older ones can corrupt a write-ahead log that several connections write and checkpoint (WAL-reset race)."""

_READER_WAIT_SECONDS = 5.0
_PROBE_BYTES = 65_536
_FILES = ("", "-wal", "-shm")
"""The endings of the files that make up a database while it is open: an entry lies in any of the first two."""
_EMPTY_PROBE = "DELETE FROM log_probe"
_FILL_PROBE = "INSERT INTO log_probe (id, filling) VALUES (1, ?)"


_PRAGMAS = (
    "page_size=4096",
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=2000",  # pages: 16 MB
    "journal_size_limit=67108864",
    "cache_size=-8000",
    # Also of every writer: a page that is split keeps a copy of what it held, which no later erasure would reach.
    "secure_delete=FAST",
)
_Identity = tuple[int, int] | None
"""Device and number of a file, which a name may lose; None where there is none."""


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

    def __init__(self, path: Path, make: bool = True) -> None:
        """Opens nothing yet but the lock file; `make` lets the first connection make the database's file.

        Raises `LogError` where SQLite is too old.
        """
        if pysqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise LogError(
                f"SQLite {pysqlite3.sqlite_version} is too old: it can corrupt the log; "
                f"{'.'.join(map(str, OLDEST_SQLITE))} or newer comes with the locked pysqlite3"
            )
        self.name = str(path)
        self.lock = LockFile(path.with_name(path.name + ".lock"))
        self._path = path.absolute()  # whatever folder the process is in later
        self._files = [f"{self._path}{ending}" for ending in _FILES]
        self._make = make
        self._own: _Identity | None = None
        """Which file this log is; known from the first connection on."""
        self._written: tuple[_Identity, ...] | None = None
        """Which files the writing connection has open."""
        self.engine = create_engine(
            URL.create("sqlite+pysqlite", database=str(path)),
            module=pysqlite3,
            creator=self._connect,
            pool_size=4,
            max_overflow=-1,
            hide_parameters=True,  # error messages must not hold case data
        )
        event.listen(self.engine, "begin", _begin)
        self._connection: Any = None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See `Database`."""
        self.check_in_place()  # so that what is refused is, but for a moment, not stored either
        try:
            if self._connection is None:
                # Not one of the readers': those may be older than what happened to the files since.
                self._connection = self._connect()
            execute = self._connection.cursor().execute
            execute("BEGIN IMMEDIATE")
            if self._written is None:  # all files are open only now
                self._written = self._identities()
            yield SqliteTransaction(execute)
            execute("COMMIT")
        except BaseException:
            self.disconnect()
            raise
        # Only now is it sure that the commit is in files that have the names.
        self.check_in_place()

    def check_in_place(self) -> None:
        """See `Database`."""
        written = self._written
        if written is not None and written != self._identities():
            raise LogLost(
                f"{self._path.name}, or its -wal or -shm, was moved, removed or replaced under the running service: "
                "put the same files back"
            )

    def disconnect(self) -> None:
        """See `Database`."""
        connection, self._connection, self._written = self._connection, None, None
        if connection is not None:
            connection.close()

    def _connect(self) -> Any:
        mode = "rwc" if self._make else "rw"
        connection = pysqlite3.connect(
            f"{self._path.as_uri()}?mode={mode}",
            uri=True,
            # Only readers may meet a busy database, and only while another recovers it after a crash: writers queue on
            # the lock file.
            timeout=_READER_WAIT_SECONDS,
            check_same_thread=False,
            isolation_level=None,  # the driver would begin transactions by rules of its own
        )
        try:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            found = _identity(self._path)
            if self._own is None:
                self._own = found
            elif found != self._own:
                raise pysqlite3.OperationalError("another file lies where the log was")
        except BaseException:
            connection.close()
            raise
        self._make = False
        return connection

    def _identities(self) -> tuple[_Identity, ...]:
        return tuple([_identity(file) for file in self._files])


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _identity(path: Path | str) -> _Identity:
    try:
        found = os.stat(path)  # noqa: PTH116  # at each commit: a Path costs twice as much
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


@cache
def _insert_entries(count: int) -> str:
    places = f"({', '.join('?' * len(ENTRY_NAMES))})"
    return " ".join(("INSERT INTO log_entry", f"({', '.join(ENTRY_NAMES)})", "VALUES", ", ".join([places] * count)))
