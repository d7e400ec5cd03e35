"""One commit of the log: leaves, head and one signed checkpoint for a whole batch, in one transaction."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, Engine, delete, insert, or_, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from service.log.checkpoint import SigningKey
from service.log.entry import leaf_bytes, time_text
from service.log.group_commit import Waiting
from service.log.merkle import Frontier, leaf_hash
from service.log.schema import log_checkpoint, log_entry, log_head, log_probe

_READ_HEAD = select(log_head.c.size, log_head.c.frontier, log_head.c.last_at)
# The four statements of a commit are given to the driver as they are: SQLAlchemy's own road took longer than the disk.
_HEAD_SQL = "SELECT size, frontier, last_at FROM log_head"
_NEW_HEAD_SQL = "UPDATE log_head SET size = ?, frontier = ?, last_at = ?"
_CHECKPOINT_SQL = "INSERT INTO log_checkpoint (size, text) VALUES (?, ?)"
_ENTRY_NAMES = (
    "idx",
    "entry_id",
    "kind",
    "at",
    "leaf",
    "leaf_hash",
    "salt",
    "payload",
    "dictionary",
    "unique_key",
)
_INSERT_HEAD = insert(log_head)
_INSERT_CHECKPOINT = insert(log_checkpoint)
_EMPTY_PROBE = delete(log_probe)
_FILL_PROBE = insert(log_probe)
_PROBE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that an entry is on disk: its place, its leaf hash (hexadecimal), when, and a checkpoint that covers it."""

    index: int
    entry_id: str
    leaf_hash: str
    at: str
    checkpoint: str


class Pending(Waiting):
    """An entry on its way. One of `receipt`, `recorded_at` (index of the entry it repeats) and `failure` gets set."""

    __slots__ = (
        "commitment",
        "dictionary",
        "entry_id",
        "failure",
        "kind",
        "payload",
        "receipt",
        "recorded_at",
        "salt",
        "unique",
    )

    def __init__(
        self,
        kind: str,
        entry_id: str,
        salt: bytes,
        commitment: str,
        packed: tuple[bytes, int | None],
        unique: str | None,
    ):
        super().__init__()
        self.kind = kind
        self.entry_id = entry_id
        self.salt = salt
        self.commitment = commitment
        self.payload, self.dictionary = packed
        self.unique = unique
        self.receipt: Receipt | None = None
        self.recorded_at: int | None = None
        self.failure: str | None = None


class Writer:
    """Commits batches. Every method runs under the log's lock, which is the caller's to hold."""

    def __init__(self, engine: Engine, key: SigningKey, clock: Callable[[], int]) -> None:
        """`clock` gives nanoseconds since 1970."""
        self._engine = engine
        self._key = key
        self._clock = clock
        self._connection: Connection | None = None

    def begin_log(self) -> None:
        """Gives an empty database the head and the checkpoint of an empty log."""
        with self._connected().begin():
            if self._connected().execute(_READ_HEAD).first() is None:
                empty = Frontier()
                self._connected().execute(_INSERT_HEAD, {"id": 1, "size": 0, "frontier": b"", "last_at": time_text(0)})
                checkpoint = self._key.sign(0, empty.root())
                self._connected().execute(_INSERT_CHECKPOINT, {"size": 0, "text": checkpoint})

    def commit(self, batch: Sequence[Pending]) -> None:
        """Makes the batch durable and sets each receipt; entries that are recorded already get `recorded_at` instead.

        Where it raises, nothing of the batch counts as stored. The next commit starts on a new connection.
        """
        try:
            self._commit(batch)
        except BaseException:
            self.disconnect()
            raise

    def probe(self) -> None:
        """Writes 64 kB that mean nothing, to see whether the disk takes them. Raises where it does not."""
        try:
            with self._connected().begin():
                self._connected().execute(_EMPTY_PROBE)
                self._connected().execute(_FILL_PROBE, {"id": 1, "filling": os.urandom(_PROBE_BYTES)})
        except BaseException:
            self.disconnect()
            raise

    def disconnect(self) -> None:
        """Closes the writing connection; the next commit opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(writes=True)
        return self._connection

    def _commit(self, batch: Sequence[Pending]) -> None:
        try:
            self._store(batch)
        except IntegrityError:
            # Rare, so found out after the fact: one repeated entry must not fail those of others.
            fresh = self._without_repeated(batch)
            if len(fresh) == len(batch):
                raise
            if fresh:
                self._store(fresh)
            _point_to_receipts(batch, fresh)

    def _store(self, batch: Sequence[Pending]) -> None:
        connection = self._connected()
        with connection.begin():
            # Other processes append too: the head is true only as read inside the transaction.
            first, peaks, last_at = connection.exec_driver_sql(_HEAD_SQL).one()
            frontier = Frontier(first, peaks)
            # A clock that was set back must not make the log run backwards.
            at = max(time_text(self._clock()), last_at)
            rows = []
            for pending in batch:
                leaf = leaf_bytes(at, pending.entry_id, pending.kind, pending.commitment)
                hashed = leaf_hash(leaf)
                rows.append(
                    {
                        "idx": frontier.size,
                        "entry_id": pending.entry_id,
                        "kind": pending.kind,
                        "at": at,
                        "leaf": leaf,
                        "leaf_hash": hashed,
                        "salt": pending.salt,
                        "payload": pending.payload,
                        "dictionary": pending.dictionary,
                        "unique_key": pending.unique,
                    }
                )
                frontier.append(hashed)
            checkpoint = self._key.sign(frontier.size, frontier.root())
            connection.exec_driver_sql(_insert_entries(len(rows)), tuple(v for row in rows for v in row.values()))
            connection.exec_driver_sql(_NEW_HEAD_SQL, (frontier.size, frontier.to_bytes(), at))
            connection.exec_driver_sql(_CHECKPOINT_SQL, (frontier.size, checkpoint))
        for pending, row in zip(batch, rows, strict=True):
            pending.receipt = Receipt(row["idx"], pending.entry_id, row["leaf_hash"].hex(), at, checkpoint)

    def _without_repeated(self, batch: Sequence[Pending]) -> list[Pending]:
        """Sets `recorded_at` of what the log holds already; of several alike in the batch, keeps the first."""
        ids = [pending.entry_id for pending in batch]
        uniques = [pending.unique for pending in batch if pending.unique is not None]
        stored = select(log_entry.c.idx, log_entry.c.entry_id, log_entry.c.unique_key).where(
            or_(log_entry.c.entry_id.in_(ids), log_entry.c.unique_key.in_(uniques))
        )
        by_id: dict[str, int] = {}
        by_unique: dict[str, int] = {}
        with self._connected().begin():
            for index, entry_id, unique in self._connected().execute(stored):
                by_id[entry_id] = index
                if unique is not None:
                    by_unique[unique] = index
        fresh = []
        seen: set[str] = set()
        for pending in batch:
            pending.recorded_at = by_id.get(pending.entry_id)
            if pending.unique is not None:
                pending.recorded_at = by_unique.get(pending.unique, pending.recorded_at)
            keys = _keys(pending)
            if pending.recorded_at is None and seen.isdisjoint(keys):
                seen.update(keys)
                fresh.append(pending)
        return fresh


@cache
def _insert_entries(count: int) -> str:
    """One statement for the whole batch.

    The driver lets go of the interpreter at every statement; on a busy worker each time costs the wait for another
    thread's turn, with the log's lock held.
    """
    row = f"({', '.join('?' * len(_ENTRY_NAMES))})"
    return " ".join(("INSERT INTO log_entry", f"({', '.join(_ENTRY_NAMES)})", "VALUES", ", ".join([row] * count)))


def _keys(pending: Pending) -> set[str]:
    return {f"id {pending.entry_id}"} | ({f"unique {pending.unique}"} if pending.unique is not None else set())


def _point_to_receipts(batch: Sequence[Pending], fresh: Sequence[Pending]) -> None:
    kept = {key: pending for pending in fresh for key in _keys(pending)}
    for pending in batch:
        if pending.receipt is None and pending.recorded_at is None:
            first = next(kept[key] for key in sorted(_keys(pending), reverse=True) if key in kept)
            if first.receipt is not None:
                pending.recorded_at = first.receipt.index


def reason(error: BaseException) -> str:
    """A short name of what went wrong, without case data: SQLite's own error name, or the type of the error."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    name = getattr(original, "sqlite_errorname", None)
    return str(name) if name else type(original).__name__
