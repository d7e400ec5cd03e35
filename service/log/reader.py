"""Reads the log: entries as they were recorded, checkpoints, proofs. Any number of readers, at any time."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Engine, Row, Select, TextClause, bindparam, func, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from service.log import merkle
from service.log.checkpoint import VerifierKey
from service.log.entry import Kind
from service.log.packing import Packing
from service.log.schema import NOT_SCREENINGS, LogError, log_checkpoint, log_entry
from service.log.stored import ENTRY_COLUMNS, LogDamaged, StoredEntry, read_row
from service.log.writer import reason

_CHUNK = 256
_COVERING = (
    select(log_checkpoint.c.text)
    .where(log_checkpoint.c.size > log_entry.c.idx)
    .order_by(log_checkpoint.c.size)
    .limit(1)
    .correlate(log_entry)
    .scalar_subquery()
)
_ENTRY = select(*ENTRY_COLUMNS, _COVERING.label("checkpoint"))
_WANTED: BindParameter[Any] = bindparam("wanted")
# Made once: SQLAlchemy works out anew what a statement is called in its cache for each one that is built.
_BY_ID = _ENTRY.where(log_entry.c.entry_id == _WANTED)
_BY_INDEX = _ENTRY.where(log_entry.c.idx == _WANTED)
_BY_UNIQUE = _ENTRY.where(log_entry.c.unique_key == _WANTED)
_NEWEST = select(func.max(log_entry.c.idx)).where(log_entry.c.kind == _WANTED)
_NEWEST_SCREENING = _ENTRY.where(log_entry.c.idx == _NEWEST.scalar_subquery())
_NEWEST_OF_KIND = _ENTRY.where(log_entry.c.idx == _NEWEST.where(NOT_SCREENINGS).scalar_subquery())


def _of(kind: Kind) -> list[ColumnElement[bool] | TextClause]:
    """Of that kind, said so that the database sees that its index, which leaves screenings out, serves."""
    return [log_entry.c.kind == kind, *([] if kind == "screening" else [NOT_SCREENINGS])]


class LogReader:
    """What is in a log's database."""

    def __init__(self, engine: Engine, packing: Packing) -> None:
        self._engine = engine
        self._packing = packing

    @property
    def verifier_key(self) -> VerifierKey:
        """The public key by which the log's checkpoints are verified."""
        raise NotImplementedError

    def close(self) -> None:
        """Ends what was opened."""
        raise NotImplementedError

    def unpacked(self, row: Row[Any]) -> bytes | None:
        """The payload of one of `rows`; None where it is erased. Raises `LogDamaged` where it cannot be read."""
        return self._packing.unpack(row)

    def size(self) -> int:
        """The number of entries."""
        with self._engine.connect() as connection:
            newest = connection.execute(select(func.max(log_checkpoint.c.size))).scalar_one()
        if newest is None:
            raise LogError("the log has lost its checkpoints; restore the database from your backup")
        return int(newest)

    def get(self, entry_id: str) -> StoredEntry | None:
        """The entry of that id, or None. Raises `LogDamaged` where its bytes do not belong together."""
        return self._one(_BY_ID, entry_id)

    def get_index(self, index: int) -> StoredEntry | None:
        """The entry at that index, or None. Raises `LogDamaged`."""
        return self._one(_BY_INDEX, index)

    def recorded_as(self, unique: str) -> StoredEntry | None:
        """The entry that was appended with that unique text, or None. Raises `LogDamaged`."""
        return self._one(_BY_UNIQUE, unique)

    def index_of(self, entry_id: str) -> int | None:
        """The index of the entry of that id, or None. Reads nothing else of it, so damage does not matter."""
        with self._engine.connect() as connection:
            return connection.execute(select(log_entry.c.idx).where(log_entry.c.entry_id == entry_id)).scalar()

    def there(self, entry_ids: Sequence[str]) -> dict[str, bool]:
        """Which of these entries there are, and whether what they say is still there. Reads nothing else of them.

        Asked of the driver itself: a page that is shown again costs little else, and most of it was SQLAlchemy's part.
        """
        driver: Any = self._engine.dialect.loaded_dbapi
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(_there(driver.paramstyle, len(entry_ids)), tuple(entry_ids))
            return {str(entry_id): bool(there) for entry_id, there in cursor.fetchall()}
        except driver.Error as error:
            raise DBAPIError("there", None, error, hide_parameters=True) from None
        finally:
            connection.close()

    def latest_of_kind(self, kind: Kind) -> StoredEntry | None:
        """The newest entry of that kind, or None. Raises `LogDamaged`."""
        return self._one(_NEWEST_SCREENING if kind == "screening" else _NEWEST_OF_KIND, kind)

    def of_kind(self, kind: Kind, after: int = -1) -> Iterator[StoredEntry]:
        """The entries of that kind behind index `after`, in log order. Raises `LogDamaged`."""
        while True:
            following = (*_of(kind), log_entry.c.idx > after)
            query = select(*ENTRY_COLUMNS).where(*following).order_by(log_entry.c.idx).limit(_CHUNK)
            with self._engine.connect() as connection:
                chunk = connection.execute(query).all()
            if not chunk:
                return
            yield from (read_row(row, self._packing.unpack(row)) for row in chunk)
            after = chunk[-1].idx

    def newest_of_kinds(self, kinds: Collection[Kind], before: int, limit: int) -> list[StoredEntry]:
        """The newest entries of these kinds at an index below `before`, the newest first. Raises `LogDamaged`."""
        rows: list[Row[*tuple[Any, ...]]] = []
        with self._engine.connect() as connection:
            for kind in kinds:
                query = select(*ENTRY_COLUMNS).where(*_of(kind), log_entry.c.idx < before)
                rows += connection.execute(query.order_by(log_entry.c.idx.desc()).limit(limit)).all()
        newest = heapq.nlargest(limit, rows, key=lambda row: row.idx)
        return [read_row(row, self._packing.unpack(row)) for row in newest]

    def screenings(self) -> int:
        """The number of screenings, worked out from that of the other entries, which have an index."""
        others = select(func.count()).select_from(log_entry).where(NOT_SCREENINGS)
        with self._engine.connect() as connection:
            newest = connection.execute(select(func.max(log_entry.c.idx))).scalar_one()
            return 0 if newest is None else int(newest) + 1 - int(connection.execute(others).scalar_one())

    def _one(self, query: Select[Any], wanted: str | int) -> StoredEntry | None:
        with self._engine.connect() as connection:
            row = connection.execute(query, {"wanted": wanted}).first()
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


@cache
def _there(style: str, count: int) -> str:
    places = ", ".join(["?" if style == "qmark" else "%s"] * count)
    return f"SELECT entry_id, payload IS NOT NULL FROM log_entry WHERE entry_id IN ({places})"  # noqa: S608  # places only
