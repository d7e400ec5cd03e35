"""What the log asks of a database: one writer at a time, transactions that are on disk when they end, a lock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol

from sqlalchemy import Engine

EntryRow = tuple[int, str, str, str, bytes, bytes, bytes, bytes, int | None, str | None]
"""A row of `log_entry`, in the order of `ENTRY_NAMES`."""
ENTRY_NAMES = ("idx", "entry_id", "kind", "at", "leaf", "leaf_hash", "salt", "payload", "dictionary", "unique_key")

_HEAD = "SELECT size, frontier, at, text FROM log_checkpoint ORDER BY size DESC LIMIT 1"
_ADD_CHECKPOINT = "INSERT INTO log_checkpoint (size, text, frontier, at) VALUES (?, ?, ?, ?)"
_RECORDED_AT = "SELECT idx FROM log_entry WHERE unique_key = ? UNION ALL SELECT idx FROM log_entry WHERE entry_id = ?"


class Transaction:
    """The statements of one commit. They only insert and read: a service needs no other right on the log."""

    def __init__(self, execute: Callable[..., Any], place: str = "?") -> None:
        """`execute` runs a statement of the driver's, whose mark for a parameter is `place`."""
        self._run = execute
        self._place = place

    def _execute(self, statement: str, values: Sequence[Any] = ()) -> Any:
        return self._run(statement.replace("?", self._place), values)

    def head(self) -> tuple[int, bytes, str, str] | None:
        """Size, frontier, time and text of the newest checkpoint; None before the first."""
        found: tuple[int, bytes, str, str] | None = self._execute(_HEAD).fetchone()
        return found

    def add_entries(self, rows: Sequence[EntryRow]) -> None:
        """Inserts the entries of a batch."""
        raise NotImplementedError

    def add_checkpoint(self, size: int, text: str, frontier: bytes, at: str) -> None:
        """Inserts the checkpoint that covers them, and with it the log's new head."""
        self._execute(_ADD_CHECKPOINT, (size, text, frontier, at))

    def recorded_at(self, entry_id: str, unique: str | None) -> int | None:
        """The index of the entry of that unique text, or else of that id; None where there is neither."""
        found = self._execute(_RECORDED_AT, (unique, entry_id)).fetchone()
        return None if found is None else int(found[0])

    def probe(self) -> None:
        """Writes something that means nothing, as large as a commit."""
        raise NotImplementedError


class Lock(Protocol):
    """Held by one writer at a time, inside a `with` block."""

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

    def close(self) -> None:
        """Gives it back for good."""


class Database(Protocol):
    """A database that can hold a log."""

    name: str
    """What messages call it; holds no password."""
    engine: Engine
    """For reading; and for writing by transactions with the execution option `writes`, under the lock."""
    failures: tuple[type[Exception], ...]
    """What its driver raises."""
    repeated: type[Exception]
    """What its driver raises where an entry is in the log already."""

    @property
    def lock(self) -> Lock:
        """What the log's writers of this process queue on, and of all processes where the database is a file."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One transaction of the one writing connection, on disk when the block ends; call it under the lock.

        Whatever goes wrong inside ends the connection too; the next transaction opens another. Raises `LogLost` where
        what was committed, or was to be, would not be found again under the database's name.
        """

    def check_in_place(self) -> None:
        """Raises `LogLost` where what the writing connection writes would not be found again under that name."""

    def disconnect(self) -> None:
        """Ends the writing connection."""
