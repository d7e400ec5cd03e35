"""Gone means gone, as far as SQLite allows: overwrites what is freed, empties the write-ahead log, and looks.

Closing any handle on a database file gives up the locks that this process holds on it through SQLite, so files are
searched only once the log is closed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine

from service.log.schema import LogError
from service.log.store import LogStore

MOST_SEARCHED = 200
"""Entries whose bytes are searched for; each costs a reading of the whole file."""

_WHOLE_PAYLOAD = 2000
_SHORTEST_PAYLOAD = 64
_BLOCK = 16 * 1024 * 1024
_TRIES, _PAUSE_SECONDS = 40, 0.25


@dataclass(frozen=True, slots=True)
class Trace:
    """What an erased entry left behind if it left anything: its salt, and its packed payload where no other has it."""

    index: int
    salt: bytes | None
    payload: bytes | None

    def needles(self) -> list[bytes]:
        """Bytes that stand in one piece on disk and in no other entry."""
        # The salt is chance, so nothing else holds it. A longer payload is spread over pages, and a very short one
        # may be that of another entry too; the salt stands before either.
        payload = self.payload or b""
        whole = [payload] if _SHORTEST_PAYLOAD <= len(payload) <= _WHOLE_PAYLOAD else []
        return [needle for needle in (self.salt, *whole) if needle]


def database_file(store: LogStore) -> Path | None:
    """The file of a log in SQLite; None where the log is in another database."""
    with store.exclusive() as engine:
        name = engine.url.database if engine.dialect.name == "sqlite" else None
    return None if name is None else Path(name)


def overwrite_what_is_freed(connection: Connection) -> None:
    """Makes SQLite write zeros over what this connection frees. Call it before the transaction begins."""
    if connection.dialect.name == "sqlite":
        cursor = connection.connection.cursor()
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()


def empty_write_ahead_log(store: LogStore) -> None:
    """Moves the pages of the write-ahead log into the database and cuts it to nothing.

    Raises `LogError` where readers keep it from that for ten seconds. Writers wait for moments only.
    """
    for _ in range(_TRIES):
        with store.exclusive() as engine:
            if engine.dialect.name != "sqlite" or _execute(engine, "PRAGMA wal_checkpoint(TRUNCATE)")[0] == 0:
                return
        time.sleep(_PAUSE_SECONDS)
    raise LogError(
        "erased, but a long reader keeps the write-ahead log from being emptied: end it, then run this again"
    )


def rewrite(store: LogStore) -> None:
    """Writes the whole database anew; writers wait for it, and it needs as much free disk again."""
    with store.exclusive() as engine:
        if engine.dialect.name == "sqlite":
            _execute(engine, "VACUUM")
    empty_write_ahead_log(store)


def files_of(database: Path) -> list[Path]:
    """The files in which SQLite keeps a database."""
    beside = [database.with_name(database.name + ending) for ending in ("", "-wal", "-shm", "-journal")]
    return [path for path in beside if path.exists()]


def remains(database: Path, traces: Sequence[Trace]) -> list[str]:
    """`entry N in FILE` for what is still there. Call it once the log is closed in this process."""
    found = []
    sample = sampled(traces)
    for path in files_of(database):
        left = {needle: trace.index for trace in sample for needle in trace.needles()}
        longest = max(map(len, left), default=1)
        with path.open("rb") as file:
            before = b""
            while left and (block := file.read(_BLOCK)):
                block = before + block
                there = [needle for needle in left if needle in block]
                found += [f"entry {left.pop(needle)} in {path.name}" for needle in there]
                before = block[-(longest - 1) :] if longest > 1 else b""
    return sorted(set(found))


def sampled(traces: Sequence[Trace]) -> Sequence[Trace]:
    """All traces, or where they are many, evenly spread ones."""
    step = -(-len(traces) // MOST_SEARCHED) or 1
    return traces[::step]


def _execute(engine: Engine, statement: str) -> tuple[int, ...]:
    # Through the driver: both statements must stand outside a transaction.
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.execute(statement)
        row = cursor.fetchone()
        cursor.close()
    finally:
        connection.close()
    return tuple(row or (0,))
