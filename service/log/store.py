"""The store of the log: append durably, read back, prove. The only writer of the log's database."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from service.log.chance import random_piece
from service.log.checkpoint import Checkpoint, CheckpointError, SigningKey, VerifierKey
from service.log.databases import open_database
from service.log.databases.database import Database
from service.log.entry import EntryError, Kind, check_entry, commitment, uuid7
from service.log.group_commit import GroupCommit
from service.log.packing import Packing
from service.log.reader import LogReader
from service.log.schema import LogError, LogLost, newest_checkpoint, upgrade
from service.log.stored import LogDamaged, StoredEntry
from service.log.writer import Pending, Receipt, Writer, reason

__all__ = [
    "AlreadyRecorded",
    "EntryError",
    "LogDamaged",
    "LogError",
    "LogStore",
    "NotDurable",
    "Receipt",
    "StoredEntry",
]

_FRESH_NANOSECONDS = 10_000_000_000


class NotDurable(RuntimeError):
    """The entry could not be made durable and counts as not stored. The message holds no case data.

    Where the database went away while it committed, the entry may be there afterwards: ask again under the same id or
    unique text, and `AlreadyRecorded` says so.
    """


class AlreadyRecorded(RuntimeError):
    """An entry of that id or unique key is in the log already, at `index`."""

    def __init__(self, index: int) -> None:
        super().__init__(f"recorded already, at index {index}")
        self.index = index


class LogStore(LogReader):
    """A log in one database. Any number of threads and processes may append; all see one total order.

    Not to be carried across a fork: open it in each process.
    """

    def __init__(self, database: Database, writer: Writer, key: SigningKey, packing: Packing) -> None:
        """For `open`; the parts belong to this store from now on."""
        super().__init__(database.engine, packing)
        self._database = database
        self._lock = database.lock
        self._failures: tuple[type[Exception], ...] = (SQLAlchemyError, *database.failures, LogError, OSError)
        self._writer = writer
        self._key = key
        self._commits: GroupCommit[Pending] = GroupCommit(self._commit, self._give_up, self._lock)
        self._process = os.getpid()
        self._fault: str | None = None
        self._last_write = 0
        self.on_commit: Callable[[int, float], None] | None = None
        """Told of each commit: its entries and its seconds."""
        self._closing = threading.Lock()
        self._closed = False

    @classmethod
    def open(
        cls, where: Path | str, key: SigningKey, clock: Callable[[], int] = time.time_ns, begin: bool = True
    ) -> LogStore:
        """Opens the log; where there is none, makes file and schema and begins it, unless `begin` is False.

        `where` is the path of a SQLite file or the URL of a PostgreSQL database; `clock` gives nanoseconds since 1970.
        Raises `LogError` where the log was signed by another key or the database cannot be used.
        """
        database = open_database(where, make=begin)
        packing = Packing(database.engine)
        writer = Writer(database, key, clock, packing)
        try:
            with database.lock:
                if not begin and newest_checkpoint(database.engine) is None:
                    raise LogError(f"{database.name}: there is no log in it; restore it from your backup")
                upgrade(database.engine)
                writer.begin_log()
            store = cls(database, writer, key, packing)
            store._check_key(database.name)
        except BaseException as error:
            with database.lock:
                database.disconnect()
                database.engine.dispose()
            database.lock.close()
            if isinstance(error, (SQLAlchemyError, *database.failures)):
                raise LogError(f"{database.name}: the log cannot be opened ({reason(error)})") from None
            raise
        return store

    @property
    def verifier_key(self) -> VerifierKey:
        """The public key by which the log's checkpoints are verified."""
        return self._key.verifier

    def append(self, kind: Kind, payload: bytes, entry_id: str | None = None, unique: str | None = None) -> Receipt:
        """Appends an entry and returns once it is on disk.

        `payload` is canonical JSON; `entry_id` a UUID, made here where there is none; `unique` a text that no other
        entry may have. Raises `NotDurable`, `AlreadyRecorded`, or `EntryError` for what the log would not hold.
        """
        pending = self._pending(kind, entry_id or uuid7(), payload, unique)
        self._commits.submit(pending)
        if pending.receipt is not None:
            return pending.receipt
        if pending.recorded_at is not None:
            raise AlreadyRecorded(pending.recorded_at)
        raise NotDurable(f"the log cannot be written ({pending.failure})")

    def append_soon(
        self, kind: Kind, payload: bytes, entry_id: str, unique: str | None, settled: Callable[[], None]
    ) -> Pending:
        """As `append`, without waiting: `settled` is called, by another thread, when the outcome is known.

        Then one of `receipt`, `recorded_at` and `failure` of what this gives is set. Raises `EntryError`.
        """
        pending = self._pending(kind, entry_id, payload, unique, settled)
        self._commits.submit_soon(pending)
        return pending

    def _pending(
        self,
        kind: Kind,
        entry_id: str,
        payload: bytes,
        unique: str | None,
        settled: Callable[[], None] | None = None,
    ) -> Pending:
        check_entry(kind, entry_id, payload)
        if os.getpid() != self._process:
            raise RuntimeError("this log was opened before a fork; open it again in the new process")
        salt = random_piece()
        return Pending(kind, entry_id, salt, commitment(salt, payload), payload, unique, settled)

    def append_whole(self, kind: Kind, entries: Sequence[tuple[str, bytes, str | None]]) -> list[Receipt]:
        """Appends entries (id, payload, unique text) in one commit: all of them, or none.

        Raises as `append` does; `AlreadyRecorded` where any of them is in the log.
        """
        batch = [self._pending(kind, entry_id, payload, unique) for entry_id, payload, unique in entries]
        try:
            with self._lock:
                if self._closed:
                    raise LogError("closed")
                began = time.perf_counter()
                self._writer.commit_whole(batch)
                took = time.perf_counter() - began
        except Exception as error:
            self._give_up(batch, error)
            raise NotDurable(f"the log cannot be written ({self._fault})") from None
        self._fault, self._last_write = None, time.monotonic_ns()
        if self.on_commit is not None:
            self.on_commit(len(batch), took)
        receipts = [pending.receipt for pending in batch if pending.receipt is not None]
        if len(receipts) < len(batch):
            raise AlreadyRecorded(next(one.recorded_at for one in batch if one.recorded_at is not None))
        return receipts

    def learn(self, sample: bytes) -> None:
        """Packs payloads against `sample`, a payload like those to come, from now on: smaller and faster."""
        with self._lock, self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            number = self._packing.keep(connection, sample)
        self._packing.use(number, sample)

    def _commit(self, batch: list[Pending]) -> None:
        if self._closed:
            raise LogError("closed")
        began = time.perf_counter()
        self._writer.commit(batch)
        if self.on_commit is not None:
            self.on_commit(len(batch), time.perf_counter() - began)
        self._fault = None
        self._last_write = time.monotonic_ns()

    def _give_up(self, batch: list[Pending], error: BaseException) -> None:
        self._fault = reason(error)
        for pending in batch:
            pending.receipt = pending.recorded_at = None
            pending.failure = self._fault

    def fault(self) -> str | None:
        """Why the log cannot be written, or None where it can. Tries the disk unless a write of late succeeded."""
        try:
            self._database.check_in_place()  # a write of late says nothing of where it went since
        except LogLost as error:
            self._fault = reason(error)
        if self._fault is None and time.monotonic_ns() - self._last_write < _FRESH_NANOSECONDS:
            return None
        if self._closed:
            return "closed"
        try:
            with self._lock:
                self._writer.probe()
        except self._failures as error:
            self._fault = reason(error)
        else:
            self._fault = None
            self._last_write = time.monotonic_ns()
        return self._fault

    @contextmanager
    def exclusive(self) -> Iterator[Engine]:
        """The database, with the log's writers kept waiting until the block ends: for erasure alone."""
        with self._lock:
            yield self._engine

    def _check_key(self, database: str) -> Checkpoint:
        try:
            return self.verifier_key.open(self.latest_checkpoint())
        except CheckpointError as error:
            raise LogError(
                f"{database}: the log was signed under another name or key ({error}); restore both"
            ) from None

    def close(self) -> None:
        """Closes the log. What was appended is on disk already; later appends raise `NotDurable`."""
        with self._closing:
            if self._closed:
                return
            # The last connection to close tidies the write-ahead log away, which is a write like any other.
            with self._lock:
                self._closed = True
                self._database.disconnect()
                self._engine.dispose()
            self._lock.close()
            self._commits.close()
