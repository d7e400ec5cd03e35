"""One commit of the log: leaves, head and one signed checkpoint for a whole batch, in one transaction.

Written to the driver directly: a commit is a handful of small statements under the log's lock, and SQLAlchemy's own
road through them took longer than the statements and the disk together.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import pysqlite3
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from service.log.checkpoint import SigningKey
from service.log.entry import leaf_bytes, time_text
from service.log.group_commit import Waiting
from service.log.merkle import Frontier, leaf_hash

_READ_HEAD = "SELECT size, frontier, last_at FROM log_head"
_FIRST_HEAD = "INSERT INTO log_head (id, size, frontier, last_at) VALUES (1, 0, x'', ?)"
_NEW_HEAD = "UPDATE log_head SET size = ?, frontier = ?, last_at = ?"
_NEW_CHECKPOINT = "INSERT INTO log_checkpoint (size, text) VALUES (?, ?)"
_EMPTY_PROBE = "DELETE FROM log_probe"
_FILL_PROBE = "INSERT INTO log_probe (id, filling) VALUES (1, ?)"
_ENTRY_NAMES = "idx, entry_id, kind, at, leaf, leaf_hash, salt, payload, dictionary, unique_key"
_PLACES = "(" + ", ".join("?" * len(_ENTRY_NAMES.split(","))) + ")"
_STORED_ALREADY = "SELECT idx FROM log_entry WHERE unique_key = ? OR entry_id = ? ORDER BY unique_key IS ? DESC LIMIT 1"
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
        self._connection: Any = None

    def begin_log(self) -> None:
        """Gives an empty database the head and the checkpoint of an empty log."""
        with self._transaction() as execute:
            if execute(_READ_HEAD).fetchone() is None:
                execute(_FIRST_HEAD, (time_text(0),))
                execute(_NEW_CHECKPOINT, (0, self._key.sign(0, Frontier().root())))

    def commit(self, batch: Sequence[Pending]) -> None:
        """Makes the batch durable and sets each receipt; entries that are recorded already get `recorded_at` instead.

        Where it raises, nothing of the batch counts as stored. The next commit starts on a new connection.
        """
        try:
            self._store(batch)
        except pysqlite3.IntegrityError:
            # Rare, so found out after the fact: one repeated entry must not fail those of others.
            fresh = self._without_repeated(batch)
            if len(fresh) == len(batch):
                raise
            if fresh:
                self._store(fresh)
            _point_to_receipts(batch, fresh)

    def probe(self) -> None:
        """Writes 64 kB that mean nothing, to see whether the disk takes them. Raises where it does not."""
        with self._transaction() as execute:
            execute(_EMPTY_PROBE)
            execute(_FILL_PROBE, (os.urandom(_PROBE_BYTES),))

    def disconnect(self) -> None:
        """Closes the writing connection; the next commit opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[Callable[..., Any]]:
        """One transaction; what it gives executes a statement. Whatever goes wrong also ends the connection."""
        try:
            if self._connection is None:
                self._connection = self._engine.raw_connection()
            execute = self._connection.cursor().execute
            execute("BEGIN IMMEDIATE")
            yield execute
            execute("COMMIT")
        except BaseException:
            self.disconnect()
            raise

    def _store(self, batch: Sequence[Pending]) -> None:
        with self._transaction() as execute:
            # Other processes append too: the head is true only as read inside the transaction.
            first, peaks, last_at = execute(_READ_HEAD).fetchone()
            frontier = Frontier(first, peaks)
            # A clock that was set back must not make the log run backwards.
            at = max(time_text(self._clock()), last_at)
            hashes: list[bytes] = []
            values: list[Any] = []
            for pending in batch:
                leaf = leaf_bytes(at, pending.entry_id, pending.kind, pending.commitment)
                hashed = leaf_hash(leaf)
                values += (frontier.size, pending.entry_id, pending.kind, at, leaf, hashed)
                values += (pending.salt, pending.payload, pending.dictionary, pending.unique)
                hashes.append(hashed)
                frontier.append(hashed)
            checkpoint = self._key.sign(frontier.size, frontier.root())
            execute(_insert_entries(len(batch)), values)
            execute(_NEW_HEAD, (frontier.size, frontier.to_bytes(), at))
            execute(_NEW_CHECKPOINT, (frontier.size, checkpoint))
        for index, (pending, hashed) in enumerate(zip(batch, hashes, strict=True), first):
            pending.receipt = Receipt(index, pending.entry_id, hashed.hex(), at, checkpoint)

    def _without_repeated(self, batch: Sequence[Pending]) -> list[Pending]:
        """Sets `recorded_at` of what the log holds already; of several alike in the batch, keeps the first."""
        fresh = []
        seen: set[str] = set()
        with self._transaction() as execute:
            for pending in batch:
                # Its unique text says more than its id: that is what the sender chose to be known by.
                stored = execute(_STORED_ALREADY, (pending.unique, pending.entry_id, pending.unique)).fetchone()
                pending.recorded_at = None if stored is None else stored[0]
                keys = _keys(pending)
                if stored is None and seen.isdisjoint(keys):
                    seen.update(keys)
                    fresh.append(pending)
        return fresh


@cache
def _insert_entries(count: int) -> str:
    """One statement for the whole batch.

    The driver lets go of the interpreter at every statement; on a busy worker each time costs the wait for another
    thread's turn, with the log's lock held.
    """
    return " ".join(("INSERT INTO log_entry", f"({_ENTRY_NAMES})", "VALUES", ", ".join([_PLACES] * count)))


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
