"""Searches the log by its index, page by page. A cursor pins the log's size, so that pages stay as they were begun."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

import orjson
from sqlalchemy import ColumnElement, Connection, func, select

from service.log.projection import Facts
from service.log.search_index import SearchIndex, found, has_bit, leaf, names

Order = Literal["newest", "oldest"]
ORDERS: tuple[str, ...] = get_args(Order)
MOST_ON_A_PAGE = 200
"""Entries on one page: also what one look-up entry names."""
HIGHEST_BAND = 20


class CursorError(ValueError):
    """A cursor that no page of this service gave out."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What an entry must be to be found; all that are set must hold.

    `since` and `until` are times as the log writes them, the first included and the second not. `feature` is the name
    of one that was known in the case, `ground` the code of one that was met.
    """

    since: str | None = None
    until: str | None = None
    kind: str | None = None
    level: str | None = None
    band: int | None = None
    model: str | None = None
    agency: str | None = None
    feature: str | None = None
    ground: str | None = None
    response: str | None = None
    entry_id: str | None = None
    key_id: str | None = None

    def given(self) -> dict[str, str | int]:
        """Those that are set."""
        return {name: value for name, value in asdict(self).items() if value is not None}


_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_CODE = re.compile(r"[A-Za-z0-9_.:+-]{1,64}")
_SHAPES = {field.name: _CODE for field in fields(Filters)} | {"since": _TIME, "until": _TIME}
"""Of every text in a search: what is asked is recorded for good, so no free text may come in by a forged cursor."""


@dataclass(frozen=True, slots=True)
class Query:
    """A search at one place: the log's size when it was begun, the order, and the entry after which it goes on."""

    filters: Filters
    size: int
    order: Order = "newest"
    limit: int = 50
    after: int | None = None

    def cursor(self) -> str:
        """The query as one opaque text."""
        content = {**asdict(self), "filters": self.filters.given()}
        return urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Page:
    """The facts of the entries found, in order, and the query of the next page, None on the last."""

    entries: tuple[Facts, ...]
    following: Query | None


def read_cursor(text: str) -> Query:
    """The query of a cursor. Raises `CursorError`."""
    try:
        content = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        query = Query(**{**content, "filters": Filters(**content["filters"])})
    except (ValueError, KeyError, TypeError):
        raise CursorError("is not a cursor that this service gave out") from None
    if not _is_sound(query):
        raise CursorError("is not a cursor that this service gave out")
    return query


def search(index: SearchIndex, query: Query) -> Page:
    """The page of a query. Raises `SearchUnavailable`, or `LogDamaged` where the log cannot be read."""
    with index.caught_up(query.size) as connection:
        known = {row.number: row.name for row in connection.execute(select(names))}
        conditions = _conditions(query, {name: number for number, name in known.items()})
        if conditions is None:
            return Page((), None)
        order = found.c.idx.desc() if query.order == "newest" else found.c.idx
        # One more than is shown tells whether there is a next page.
        rows = connection.execute(select(found).where(*conditions).order_by(order).limit(query.limit + 1)).all()
    entries = tuple(_facts(row._mapping, known) for row in rows[: query.limit])
    following = replace(query, after=entries[-1].index) if len(rows) > query.limit else None
    return Page(entries, following)


def index_of_leaf(index: SearchIndex, leaf_hash: bytes, size: int) -> int | None:
    """The index of the entry with that leaf hash among the first `size`, or None."""
    with index.caught_up(size) as connection:
        place = connection.execute(select(leaf.c.idx).where(leaf.c.hash == leaf_hash)).scalar()
    return None if place is None or place >= size else int(place)


def first_at(index: SearchIndex, moment: str, size: int) -> int:
    """The index of the first entry at or after a time, `size` where there is none: a log's times never run back."""
    with index.caught_up(size) as connection:
        return _first_at(connection, moment, size)


def _first_at(connection: Connection, moment: str, size: int) -> int:
    place = connection.execute(select(func.min(found.c.idx)).where(found.c.at >= moment)).scalar()
    return size if place is None else min(int(place), size)


def _conditions(query: Query, numbers: Mapping[str, int]) -> list[ColumnElement[bool]] | None:
    """None where a name is asked for that no entry of the log holds."""
    filters = query.filters
    conditions: list[ColumnElement[bool]] = [found.c.idx < query.size]
    if query.after is not None:
        conditions.append(found.c.idx < query.after if query.order == "newest" else found.c.idx > query.after)
    if filters.since is not None:
        conditions.append(found.c.at >= filters.since)
    if filters.until is not None:
        conditions.append(found.c.at < filters.until)
    for name in ("kind", "level", "band", "model", "agency", "response", "entry_id", "key_id"):
        value = getattr(filters, name)
        if value is not None:
            conditions.append(found.c[name] == value)
    for column, value in (("features", filters.feature), ("grounds", filters.ground)):
        if value is not None:
            if value not in numbers:
                return None
            conditions.append(func.has_bit(found.c[column], numbers[value]) == 1)
    return conditions


def _facts(row: Mapping[Any, Any], known: Mapping[int, str]) -> Facts:
    plain = {field.name: row[field.name] for field in fields(Facts) if field.name in row}
    return Facts(
        **{
            **plain,
            "index": row["idx"],
            "grounds": _names(row["grounds"], known.items()),
            "features": _names(row["features"], known.items()),
        }
    )


def _names(bits: bytes | None, known: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(sorted(name for number, name in known if has_bit(bits, number)))


def _is_sound(query: Query) -> bool:
    texts = ((name, value) for name, value in query.filters.given().items() if name != "band")
    band = query.filters.band
    return (
        type(query.size) is int
        and query.size >= 0
        and query.order in ORDERS
        and type(query.limit) is int
        and 1 <= query.limit <= MOST_ON_A_PAGE
        and (query.after is None or (type(query.after) is int and 0 <= query.after < query.size))
        and all(isinstance(value, str) and _SHAPES[name].fullmatch(value) for name, value in texts)
        and (band is None or (type(band) is int and 1 <= band <= HIGHEST_BAND))
    )
