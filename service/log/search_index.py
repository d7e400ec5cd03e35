"""The search index: a projection of the log in a SQLite file of its own, caught up before each search.

It proves nothing and decides nothing; it may be deleted at any time and is built anew from the log. Screenings never
touch it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pysqlite3
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from service.log.entry import erased_ids
from service.log.lock import LockFile
from service.log.projection import Facts, facts_of
from service.log.schema import LogError
from service.log.store import LogStore
from service.log.stored import LogDamaged, read_row
from service.log.writer import reason

FORMAT = 1
_CHUNK = 1000
_DAMAGED_FILE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")

metadata = MetaData()

found = Table(
    "entry",
    metadata,
    Column("idx", Integer, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("at", String, nullable=False, index=True),
    Column("entry_id", String, index=True),
    Column("level", String),
    Column("band", Integer),
    Column("model", String),
    Column("agency", String),
    Column("key_id", String, index=True),
    Column("response", String),
    Column("grounds", LargeBinary),  # bit n is set for the name of number n
    Column("features", LargeBinary),
    Column("damaged", Boolean, nullable=False),
)

# The tree's leaf hashes, which are no part of any payload and stay as they stay in the log: a receipt that names only
# its leaf hash can be proved after an erasure too.
leaf = Table(
    "leaf",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("idx", Integer, nullable=False),
    sqlite_with_rowid=False,
)

names = Table(
    "name",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", String, nullable=False, unique=True),
)

state = Table(
    "state",
    metadata,
    Column("format", Integer, primary_key=True),
    Column("origin", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("last_leaf", LargeBinary, nullable=False),
)

_CONTENT = ("entry_id", "level", "band", "model", "agency", "key_id", "response", "grounds", "features")
_ERASED: dict[str, None] = dict.fromkeys(_CONTENT)


class SearchUnavailable(LogError):
    """The index cannot be read or written; one line, without case data."""


class SearchBehind(SearchUnavailable):
    """The index is being built and does not cover the log yet; ask again."""


class SearchIndex:
    """The index of one log, in the file `path`. Any number of threads and processes may use it, one at a time."""

    def __init__(self, log: LogStore, path: Path, most: int = 20_000) -> None:
        """Opens nothing yet: a service whose log nobody searches never makes the file.

        `most` bounds how many entries one search takes in: building it anew costs a worker time that screenings need.
        """
        self._log = log
        self._path = path
        self._most = most

    @contextmanager
    def caught_up(self, size: int) -> Iterator[Connection]:
        """A connection to the index, which holds at least the first `size` entries; nobody else has it meanwhile.

        Raises `LogDamaged` where the log cannot be read, `SearchBehind` where it takes another call to catch up,
        `SearchUnavailable` where the index cannot be used.
        """
        try:
            with self._locked(), self._opened() as engine:
                self._catch_up(engine, size)
                with engine.connect() as connection:
                    yield connection
        except (DBAPIError, OSError) as error:
            if reason(error).startswith(_DAMAGED_FILE):
                self._path.unlink(missing_ok=True)  # made anew by the next search
            raise SearchUnavailable(f"{self._path}: the search index cannot be used ({reason(error)})") from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        lock = LockFile(self._path.with_name(self._path.name + ".lock"))
        try:
            with lock:
                yield
        finally:
            lock.close()

    @contextmanager
    def _opened(self) -> Iterator[Engine]:
        engine = create_engine(
            URL.create("sqlite+pysqlite", database=str(self._path)), module=pysqlite3, hide_parameters=True
        )
        event.listen(engine, "connect", _configure)
        try:
            with engine.begin() as connection:
                metadata.create_all(connection)
            self._path.chmod(0o600)
            yield engine
        finally:
            engine.dispose()

    def _catch_up(self, engine: Engine, size: int) -> None:
        """Committed chunk by chunk, so that a first build that is cut off is not begun again."""
        with engine.begin() as connection:
            start = self._indexed(connection)
        bound = min(size, start + self._most)
        for first in range(start, bound, _CHUNK):
            with engine.begin() as connection:
                self._take_in(connection, first, min(first + _CHUNK, bound))
        if bound < size:
            raise SearchBehind(f"the search index is being built: {bound} of {size} entries are in it")

    def _indexed(self, connection: Connection) -> int:
        """How many entries the index holds; an index of another log, or of another format, is emptied first."""
        known = connection.execute(select(state)).first()
        if known is not None and self._is_of_this_log(known):
            return int(known.size)
        for table in (found, leaf, names, state):
            connection.execute(delete(table))
        return 0

    def _is_of_this_log(self, known: Any) -> bool:
        if (known.format, known.origin) != (FORMAT, self._log.verifier_key.name):
            return False
        last = next(self._log.rows(known.size - 1, known.size), None)
        return last is not None and last.leaf_hash == known.last_leaf

    def _take_in(self, connection: Connection, start: int, stop: int) -> None:
        numbers = {row.name: row.number for row in connection.execute(select(names))}
        rows, leaves, erased = [], [], []
        last = b""
        for row in self._log.rows(start, stop):
            try:
                entry = read_row(row, self._log.unpacked(row))
            except LogDamaged:
                facts = Facts(row.idx, str(row.kind), str(row.at), damaged=True)
            else:
                facts = facts_of(entry)
                if entry.kind == "erasure":
                    erased += erased_ids(entry.payload or b"{}")
            for name in (*facts.grounds, *facts.features):
                numbers.setdefault(name, len(numbers))
            rows.append(_row(facts, numbers))
            leaves.append({"hash": row.leaf_hash, "idx": row.idx})
            last = row.leaf_hash
        if not rows:
            raise SearchUnavailable(f"the log has no entry {start}, though a checkpoint covers it; verify the log")
        connection.execute(insert(found), rows)
        connection.execute(insert(leaf).prefix_with("OR IGNORE"), leaves)
        _clear(connection, erased)
        kept = {row.name for row in connection.execute(select(names))}
        fresh = [{"number": number, "name": name} for name, number in numbers.items() if name not in kept]
        if fresh:
            connection.execute(insert(names), fresh)
        connection.execute(delete(state))
        connection.execute(
            insert(state),
            {"format": FORMAT, "origin": self._log.verifier_key.name, "size": stop, "last_leaf": last},
        )


def bits_of(numbers: Sequence[int]) -> bytes:
    """A bit set as bytes, lowest bits first."""
    total = sum(1 << number for number in numbers)
    return total.to_bytes((total.bit_length() + 7) // 8, "little")


def has_bit(bits: bytes | None, number: int) -> bool:
    """Whether bit `number` is set."""
    place, bit = divmod(number, 8)
    return bits is not None and place < len(bits) and bool(bits[place] >> bit & 1)


def _clear(connection: Connection, erased: Sequence[str]) -> None:
    """An erased entry keeps index, kind and time."""
    for first in range(0, len(erased), _CHUNK):
        within = found.c.entry_id.in_(erased[first : first + _CHUNK])
        connection.execute(update(found).where(within).values(_ERASED))


def _row(facts: Facts, numbers: dict[str, int]) -> dict[str, Any]:
    return {
        "idx": facts.index,
        "kind": facts.kind,
        "at": facts.at,
        "entry_id": facts.entry_id,
        "level": facts.level,
        "band": facts.band,
        "model": facts.model,
        "agency": facts.agency,
        "key_id": facts.key_id,
        "response": facts.response,
        "grounds": bits_of([numbers[name] for name in facts.grounds]),
        "features": bits_of([numbers[name] for name in facts.features]),
        "damaged": facts.damaged,
    }


def _configure(connection: Any, _record: object) -> None:
    # A rollback journal, not a write-ahead log: that would keep pages with what an erasure took out of the index.
    for pragma in ("journal_mode=TRUNCATE", "secure_delete=ON", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.create_function("has_bit", 2, has_bit, deterministic=True)
