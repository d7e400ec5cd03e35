"""The store of the log: append durably, read back, prove. The only writer of the log's database."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Row, func, select
from sqlalchemy.exc import SQLAlchemyError

from service.log import merkle
from service.log.checkpoint import Checkpoint, CheckpointError, SigningKey, VerifierKey
from service.log.databases import open_database
from service.log.databases.database import Database
from service.log.entry import SALT_BYTES, EntryError, Kind, check_entry, commitment, uuid7
from service.log.group_commit import GroupCommit
from service.log.packing import Packing
from service.log.schema import LogError, log_checkpoint, log_entry, upgrade
from service.log.stored import ENTRY_COLUMNS, LogDamaged, StoredEntry, read_row
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

_CHUNK = 256
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


class LogStore:
    """A log in one database. Any number of threads and processes may append; all see one total order.

    Not to be carried across a fork: open it in each process.
    """

    def __init__(self, database: Database, writer: Writer, key: SigningKey) -> None:
        """For `open`; the parts belong to this store from now on."""
        self._database = database
        self._engine = database.engine
        self._lock = database.lock
        self._failures: tuple[type[Exception], ...] = (SQLAlchemyError, *database.failures, LogError, OSError)
        self._writer = writer
        self._key = key
        self._packing = Packing(self._engine)
        self._commits: GroupCommit[Pending] = GroupCommit(self._commit, self._give_up, self._lock)
        self._process = os.getpid()
        self._fault: str | None = None
        self._last_write = 0
        self._closing = threading.Lock()
        self._closed = False

    @classmethod
    def open(cls, where: Path | str, key: SigningKey, clock: Callable[[], int] = time.time_ns) -> LogStore:
        """Opens the log, making file and schema on first use.

        `where` is the path of a SQLite file or the URL of a PostgreSQL database; `clock` gives nanoseconds since 1970.
        Raises `LogError` where the log was signed by another key or the database cannot be used.
        """
        database = open_database(where)
        writer = Writer(database, key, clock)
        try:
            with database.lock:
                upgrade(database.engine)
                writer.begin_log()
            store = cls(database, writer, key)
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
        entry_id = entry_id or uuid7()
        check_entry(kind, entry_id, payload)
        if os.getpid() != self._process:
            raise RuntimeError("this log was opened before a fork; open it again in the new process")
        salt = os.urandom(SALT_BYTES)
        committed = commitment(salt, payload)
        pending = Pending(kind, entry_id, salt, committed, self._packing.pack(payload), unique)
        self._commits.submit(pending)
        if pending.receipt is not None:
            return pending.receipt
        if pending.recorded_at is not None:
            raise AlreadyRecorded(pending.recorded_at)
        raise NotDurable(f"the log cannot be written ({pending.failure})")

    def learn(self, sample: bytes) -> None:
        """Packs payloads against `sample`, a payload like those to come, from now on: smaller and faster."""
        with self._lock, self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            number = self._packing.keep(connection, sample)
        self._packing.use(number, sample)

    def unpacked(self, row: Row[Any]) -> bytes | None:
        """The payload of one of `rows`; None where it is erased. Raises `LogDamaged` where it cannot be read."""
        return self._packing.unpack(row)

    def _commit(self, batch: list[Pending]) -> None:
        if self._closed:
            raise LogError("closed")
        self._writer.commit(batch)
        self._fault = None
        self._last_write = time.monotonic_ns()

    def _give_up(self, batch: list[Pending], error: BaseException) -> None:
        self._fault = reason(error)
        for pending in batch:
            pending.receipt = pending.recorded_at = None
            pending.failure = self._fault

    def fault(self) -> str | None:
        """Why the log cannot be written, or None where it can. Tries the disk unless a write of late succeeded."""
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

    def size(self) -> int:
        """The number of entries."""
        with self._engine.connect() as connection:
            return int(connection.execute(select(func.max(log_checkpoint.c.size))).scalar_one())

    def get(self, entry_id: str) -> StoredEntry | None:
        """The entry of that id, or None. Raises `LogDamaged` where its bytes do not belong together."""
        return self._one(log_entry.c.entry_id == entry_id)

    def get_index(self, index: int) -> StoredEntry | None:
        """The entry at that index, or None. Raises `LogDamaged`."""
        return self._one(log_entry.c.idx == index)

    def recorded_as(self, unique: str) -> StoredEntry | None:
        """The entry that was appended with that unique text, or None. Raises `LogDamaged`."""
        return self._one(log_entry.c.unique_key == unique)

    def index_of(self, entry_id: str) -> int | None:
        """The index of the entry of that id, or None. Reads nothing else of it, so damage does not matter."""
        with self._engine.connect() as connection:
            return connection.execute(select(log_entry.c.idx).where(log_entry.c.entry_id == entry_id)).scalar()

    def latest_of_kind(self, kind: Kind) -> StoredEntry | None:
        """The newest entry of that kind, or None. Raises `LogDamaged`."""
        newest = select(func.max(log_entry.c.idx)).where(log_entry.c.kind == kind).scalar_subquery()
        return self._one(log_entry.c.idx == newest)

    def of_kind(self, kind: Kind, after: int = -1) -> Iterator[StoredEntry]:
        """The entries of that kind behind index `after`, in log order. Raises `LogDamaged`."""
        while True:
            following = log_entry.c.kind == kind, log_entry.c.idx > after
            query = select(*ENTRY_COLUMNS).where(*following).order_by(log_entry.c.idx).limit(_CHUNK)
            with self._engine.connect() as connection:
                chunk = connection.execute(query).all()
            if not chunk:
                return
            yield from (read_row(row, self._packing.unpack(row)) for row in chunk)
            after = chunk[-1].idx

    @contextmanager
    def exclusive(self) -> Iterator[Engine]:
        """The database, with the log's writers kept waiting until the block ends: for erasure alone."""
        with self._lock:
            yield self._engine

    def _one(self, condition: Any) -> StoredEntry | None:
        covering = (
            select(log_checkpoint.c.text)
            .where(log_checkpoint.c.size > log_entry.c.idx)
            .order_by(log_checkpoint.c.size)
            .limit(1)
            .correlate(log_entry)
            .scalar_subquery()
        )
        with self._engine.connect() as connection:
            row = connection.execute(select(*ENTRY_COLUMNS, covering.label("checkpoint")).where(condition)).first()
        return None if row is None else read_row(row, self._packing.unpack(row))

    def row(self, entry_id: str) -> Row[*tuple[Any, ...]] | None:
        """The row of an entry as it is stored, unchecked; None where there is none."""
        with self._engine.connect() as connection:
            return connection.execute(select(*ENTRY_COLUMNS).where(log_entry.c.entry_id == entry_id)).first()

    def rows(self, start: int, stop: int) -> Iterator[Row[*tuple[Any, ...]]]:
        """The rows of entries `start` to `stop` (exclusive) as they are stored, unchecked, for an export."""
        for first in range(start, stop, _CHUNK):
            # A transaction a chunk: a long one would keep the write-ahead log from being reset.
            within = log_entry.c.idx.between(first, min(first + _CHUNK, stop) - 1)
            with self._engine.connect() as connection:
                try:
                    chunk = connection.execute(select(*ENTRY_COLUMNS).where(within).order_by(log_entry.c.idx)).all()
                except (SQLAlchemyError, TypeError) as error:  # TypeError: a text where bytes should be
                    raise LogDamaged(first, f"it or one close behind cannot be read ({reason(error)})") from None
            yield from chunk

    def entries(self, start: int, stop: int) -> Iterator[StoredEntry]:
        """The entries `start` to `stop` (exclusive), each checked. Their `checkpoint` is empty. Raises `LogDamaged`."""
        return (read_row(row, self._packing.unpack(row)) for row in self.rows(start, stop))

    def latest_checkpoint(self) -> str:
        """The newest signed checkpoint; there is one of an empty log too."""
        newest = select(log_checkpoint.c.text).order_by(log_checkpoint.c.size.desc()).limit(1)
        with self._engine.connect() as connection:
            return str(connection.execute(newest).scalar_one())

    def checkpoint_at(self, size: int) -> str | None:
        """The signed checkpoint of exactly that many entries; None where none was signed at that size."""
        with self._engine.connect() as connection:
            found = connection.execute(select(log_checkpoint.c.text).where(log_checkpoint.c.size == size)).scalar()
        return None if found is None else str(found)

    def subtrees(self, start: int, stop: int) -> list[bytes]:
        """The roots of the full subtrees over entries `start` to `stop` (exclusive), as `merkle.full_subtrees` lists.

        Raises `ValueError` where the log is shorter.
        """
        hashes = self._leaf_hashes(stop)
        return [merkle.root_of(hashes[at : at + (1 << level)]) for at, level in merkle.full_subtrees(start, stop)]

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """That entry `index` is in the tree of the first `size` entries. Raises `ValueError` out of range."""
        return merkle.inclusion_proof(self._leaf_hashes(size), index)

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """That the first `old` entries are a prefix of the first `new`. Raises `ValueError` out of range."""
        return merkle.consistency_proof(self._leaf_hashes(new), old)

    def _leaf_hashes(self, size: int) -> Sequence[bytes]:
        with self._engine.connect() as connection:
            found = connection.execute(
                select(log_entry.c.leaf_hash).where(log_entry.c.idx < size).order_by(log_entry.c.idx)
            ).scalars()
            hashes = list(found)
        if len(hashes) != size:
            raise ValueError(f"the log has {len(hashes)} entries, not {size}")
        return hashes

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
