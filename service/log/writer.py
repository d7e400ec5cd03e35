"""One commit of the log: leaves, head and one signed checkpoint for a whole batch, in one transaction.

Written to the driver directly: a commit is a handful of small statements under the log's lock, and SQLAlchemy's own
road through them took longer than the statements and the disk together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from service.log.checkpoint import SigningKey, signs
from service.log.databases.database import Database, EntryRow
from service.log.entry import leaf_bytes, time_text
from service.log.group_commit import Waiting
from service.log.merkle import Frontier, leaf_hash
from service.log.packing import Packing
from service.log.schema import LogError, LogLost


@dataclass(slots=True)  # not frozen: that would make it five times as slow to make
class Receipt:
    """Proof that an entry is on disk: its place, its leaf hash (hexadecimal), when, and a checkpoint that covers it."""

    index: int
    entry_id: str
    leaf_hash: str
    at: str
    checkpoint: str


class MovedOn(RuntimeError):
    """The log is not of the size that the writer was told to write at."""


class Pending(Waiting):
    """An entry on its way. One of `receipt`, `recorded_at` (index of the entry it repeats) and `failure` gets set."""

    __slots__ = (
        "commitment",
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
        payload: bytes,
        unique: str | None,
        settled: Callable[[], None] | None = None,
    ):
        super().__init__(settled)
        self.kind = kind
        self.entry_id = entry_id
        self.salt = salt
        self.commitment = commitment
        self.payload = payload
        self.unique = unique
        self.receipt: Receipt | None = None
        self.recorded_at: int | None = None
        self.failure: str | None = None


class Writer:
    """Commits batches. Every method runs under the log's lock, which is the caller's to hold."""

    def __init__(self, database: Database, key: SigningKey, clock: Callable[[], int], packing: Packing) -> None:
        """`clock` gives nanoseconds since 1970."""
        self._database = database
        self._key = key
        self._clock = clock
        self._packing = packing
        self._written = 0
        """How long this process made the log at least."""

    def begin_log(self) -> None:
        """Gives an empty database the checkpoint of an empty log."""
        with self._database.transaction() as transaction:
            if transaction.head() is None:
                empty = self._key.sign(0, Frontier().root())
                transaction.add_checkpoint(0, empty, b"", time_text(0))

    def commit(self, batch: Sequence[Pending], expected: int | None = None) -> None:
        """Makes the batch durable and sets each receipt; entries that are recorded already get `recorded_at` instead.

        Where it raises, nothing of the batch counts as stored. The next commit starts on a new connection. Raises
        `MovedOn` where the log is to have `expected` entries before, and has not.
        """
        try:
            self._store(batch, expected)
        except self._database.repeated:
            # Rare, so found out after the fact: one repeated entry must not fail those of others.
            fresh = self._without_repeated(batch)
            if len(fresh) == len(batch):
                raise
            if fresh:
                self._store(fresh)
            _point_to_receipts(batch, fresh)

    def commit_whole(self, batch: Sequence[Pending]) -> None:
        """Makes all of the batch durable, or, where the log has any of it already, sets `recorded_at` of that alone."""
        try:
            self._store(batch)
        except self._database.repeated:
            self._without_repeated(batch)
            if all(pending.recorded_at is None for pending in batch):
                raise

    def probe(self) -> None:
        """Writes what means nothing, to see whether the database takes it. Raises where it does not."""
        with self._database.transaction() as transaction:
            transaction.probe()

    def _store(self, batch: Sequence[Pending], expected: int | None = None) -> None:
        payloads, dictionary = self._packing.pack([pending.payload for pending in batch])
        with self._database.transaction() as transaction:
            # Other processes append too: the head is true only as read inside the transaction.
            head = transaction.head()
            if head is None:
                raise LogError("the log has lost its checkpoints; restore the database from your backup")
            first, peaks, last_at, newest = head
            if first < self._written:
                # A backup took its place: what is missing was acknowledged, and its indexes must not be given again.
                raise LogLost(f"the log has {first} entries and had {self._written}: restore the database")
            if not signs(self._key.verifier, newest):
                # On another host the key was changed: what this one signed would never verify.
                raise LogError("the log's newest checkpoint is of another key than this service's: distribute the key")
            if expected not in (None, first):
                raise MovedOn
            frontier = Frontier(first, peaks)
            # A clock that was set back must not make the log run backwards.
            at = max(time_text(self._clock()), last_at)
            rows: list[EntryRow] = []
            for index, (pending, payload) in enumerate(zip(batch, payloads, strict=True), first):
                leaf = leaf_bytes(at, pending.entry_id, pending.kind, pending.commitment)
                hashed = leaf_hash(leaf)
                frontier.append(hashed)
                packed = (pending.salt, payload, dictionary, pending.unique)
                rows.append((index, pending.entry_id, pending.kind, at, leaf, hashed, *packed))
            checkpoint = self._key.sign(frontier.size, frontier.root())
            transaction.add_entries(rows)
            transaction.add_checkpoint(frontier.size, checkpoint, frontier.to_bytes(), at)
        self._written = frontier.size
        for pending, row in zip(batch, rows, strict=True):
            pending.receipt = Receipt(row[0], pending.entry_id, row[5].hex(), at, checkpoint)

    def _without_repeated(self, batch: Sequence[Pending]) -> list[Pending]:
        """Sets `recorded_at` of what the log holds already; of several alike in the batch, keeps the first."""
        fresh = []
        seen: set[str] = set()
        with self._database.transaction() as transaction:
            for pending in batch:
                # Its unique text says more than its id: that is what the sender chose to be known by.
                pending.recorded_at = transaction.recorded_at(pending.entry_id, pending.unique)
                keys = _keys(pending)
                if pending.recorded_at is None and seen.isdisjoint(keys):
                    seen.update(keys)
                    fresh.append(pending)
        return fresh


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
    """What went wrong, without case data: SQLite's name for it, PostgreSQL's state, our own words, or its type."""
    if isinstance(error, LogLost):
        return str(error)
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    name = getattr(original, "sqlite_errorname", None)
    state = getattr(original, "sqlstate", None)
    return str(name) if name else f"{type(original).__name__} {state}" if state else type(original).__name__
