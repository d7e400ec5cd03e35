"""The log in PostgreSQL: for production. Writers of all processes and hosts queue on one advisory lock.

A commit is two round trips: lock and head; entries, checkpoint and COMMIT in one pipeline. It is acknowledged only when
the server said `COMMIT` with synchronous_commit on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import psycopg
from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from service.log.databases.database import EntryRow, Transaction
from service.log.schema import LogError

LOCK = 0x47524F554E4453
"""The advisory lock of the log: "GROUNDS" in ASCII. One log a database."""
_LOCK = f"SELECT pg_advisory_xact_lock({LOCK})"
_OPTIONS = " ".join(
    f"-c {setting}"
    for setting in (
        "synchronous_commit=on",
        "default_transaction_isolation=read\\ committed",  # the head must be the newest once the lock is held
        # A server that is slow must end in a 503, and a writer that froze with the lock must not keep it.
        "lock_timeout=10s",
        "statement_timeout=20s",
        "idle_in_transaction_session_timeout=5s",
        # A writer whose host is gone must not keep it either: the server finds out in about ten seconds.
        "tcp_keepalives_idle=5",
        "tcp_keepalives_interval=2",
        "tcp_keepalives_count=3",
    )
)
# A server whose host is gone must not be waited for.
_ALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 20_000}
_CONNECT_SECONDS = 5
_ADD_ENTRIES = """
INSERT INTO log_entry (idx, entry_id, kind, at, leaf, leaf_hash, salt, payload, dictionary, unique_key)
SELECT * FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::text[], %b::bytea[], %b::bytea[], %b::bytea[],
                     %b::bytea[], %b::integer[], %b::text[])
"""
# Goes through the write-ahead log to the disk like any commit, and needs no right on any table.
_PROBE = "SELECT pg_logical_emit_message(true, 'grounds', repeat('probe', 13000))"


class PostgresTransaction(Transaction):
    """The statements as PostgreSQL runs them best."""

    def add_entries(self, rows: Sequence[EntryRow]) -> None:
        """Inserts the batch by one statement, which is prepared once whatever the size of a batch."""
        self._run(_ADD_ENTRIES, [list(column) for column in zip(*rows, strict=True)])

    def probe(self) -> None:
        """Writes 64 kB to the write-ahead log."""
        self._run(_PROBE)


class ProcessLock:
    """Keeps the threads of one process apart; other processes are kept apart inside the transaction."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()

    def __enter__(self) -> None:
        self._mutex.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._mutex.release()

    def close(self) -> None:
        """Nothing is held."""


class PostgresDatabase:
    """A PostgreSQL database, given as a URL: `postgresql://user@host/name`."""

    failures: tuple[type[Exception], ...] = (psycopg.Error,)
    repeated: type[Exception] = psycopg.errors.UniqueViolation

    def __init__(self, url: str) -> None:
        """Connects at first use. Raises `LogError` for what is no such URL."""
        try:
            parsed = make_url(url).set(drivername="postgresql+psycopg")
        except ArgumentError:
            raise LogError(f"{_NO_URL}") from None
        self.name = parsed.render_as_string(hide_password=True).replace("+psycopg", "")
        self.lock = ProcessLock()
        self.engine = create_engine(
            parsed,
            connect_args={
                "options": _OPTIONS,
                "connect_timeout": _CONNECT_SECONDS,
                "application_name": "grounds",
                **_ALIVE,
            },
            pool_size=4,
            max_overflow=8,  # a worker's share of the server's connections, which are few
            pool_pre_ping=True,
            hide_parameters=True,  # error messages must not hold case data
        )
        event.listen(self.engine, "begin", _begin)
        self._connection: Any = None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See `Database`."""
        try:
            if self._connection is None:
                self._connection = self.engine.raw_connection()
                self._check_server()
            driver: psycopg.Connection[Any] = self._connection.driver_connection
            with driver.pipeline() as pipeline:
                execute = driver.cursor(binary=True).execute
                execute(_LOCK)
                yield PostgresTransaction(execute, "%s")
                done = execute("COMMIT")
                pipeline.sync()
                # A transaction that failed is ended by COMMIT too; what it did then is what it says.
                if done.statusmessage != "COMMIT":
                    raise psycopg.OperationalError("the transaction was not committed")
        except BaseException:
            self.disconnect()
            raise

    def check_in_place(self) -> None:
        """Nothing to see from here: the server keeps its own files."""

    def disconnect(self) -> None:
        """See `Database`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _check_server(self) -> None:
        cursor = self._connection.cursor()
        cursor.execute("SELECT current_setting('fsync'), current_setting('full_page_writes')")
        if cursor.fetchone() != ("on", "on"):
            raise LogError(f"{self.name}: fsync or full_page_writes is off: what it acknowledges could be lost")
        self._connection.rollback()


_NO_URL = "GROUNDS_LOG_DATABASE: not a database URL; for instance postgresql://grounds_service@db.example.org/grounds"


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("writes", False):
        connection.exec_driver_sql(_LOCK)
