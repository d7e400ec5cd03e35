"""Erasure: removes payload and salt of entries, under the log's lock, and leaves every proof as it was.

First the erasure entry is durable, then the payloads go: no payload is ever gone without the entry that names it. What
a crash cuts off in between is finished by the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

import orjson
from sqlalchemy import or_, select, update

from service.log.canonical import canonical_bytes
from service.log.cleaning import Trace, overwrite_what_is_freed
from service.log.entry import erased_ids
from service.log.schema import log_entry
from service.log.store import LogDamaged, LogStore, StoredEntry

MOST_IN_ONE_ENTRY = 500
"""Entries that one erasure entry names; also what one transaction removes, while the service's writers wait."""


@dataclass(frozen=True, slots=True)
class Target:
    """An entry to erase."""

    index: int
    entry_id: str
    kind: str


@dataclass(frozen=True, slots=True)
class Order:
    """Why an erasure is done and on whose word: codes alone. `policy` is the digest of the retention policy, if any."""

    reason: str
    by: str
    note: str | None = None
    policy: str | None = None


@dataclass(slots=True)
class Erased:
    """What a run did: payloads removed by kind, its erasure entries' indexes, what it finished, what it could not read.

    `traces` are what must be found in no file of the database any more.
    """

    kinds: dict[str, int] = field(default_factory=dict)
    recorded_at: list[int] = field(default_factory=list)
    finished: int = 0
    unreadable: list[int] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)


T = TypeVar("T")
Look = Callable[[int, int], Iterable[Target]]


def finish(store: LogStore, done: Erased) -> None:
    """Removes what erasure entries name and a crash left in place. Raises `LogDamaged`, or SQLAlchemy's errors."""
    for entry in _erasures(store):
        for named in _batches(erased_ids(entry.payload or b"{}")):
            left = _left(store, named)
            if left:
                done.traces += _remove(store, left)
                done.finished += len(left)


def erase(store: LogStore, targets: Sequence[Target], order: Order, done: Erased) -> None:
    """Erases entries that are not erased yet.

    Raises `NotDurable` where the erasure entry could not be made durable; then nothing of that batch is removed.
    """
    for batch in _batches(targets):
        done.recorded_at.append(store.append("erasure", payload_of(batch, order)).index)
        done.traces += _remove(store, [target.entry_id for target in batch])
        for target in batch:
            done.kinds[target.kind] = done.kinds.get(target.kind, 0) + 1


def erase_found(store: LogStore, look: Look, order: Order, done: Erased, looked: int = 0) -> None:
    """Erases what `look(start, stop)` finds from entry `looked` on, and again among what came in meanwhile."""
    while True:
        size = store.size()
        found = list(look(looked, size))
        if not found:
            return
        erase(store, found, order, done)
        looked = size


def payload_of(targets: Sequence[Target], order: Order) -> bytes:
    """The payload of an erasure entry: which entries (id, index, kind), why, by whom. When is the entry's own time."""
    said: dict[str, object] = {
        "by": order.by,
        "erased": [target.entry_id for target in targets],
        "indexes": [target.index for target in targets],
        "kinds": [target.kind for target in targets],
        "reason": order.reason,
    }
    if order.note is not None:
        said["note_code"] = order.note
    if order.policy is not None:
        said["policy_sha256"] = order.policy
    return canonical_bytes(said)


def erasure_of(store: LogStore, entry_id: str) -> StoredEntry | None:
    """The first erasure entry that names an entry, or None. Raises `LogDamaged`."""
    for entry in _erasures(store):
        if entry.payload is not None and entry_id in erased_ids(entry.payload):
            return entry
    return None


def reason_of(erasure: StoredEntry) -> str:
    """The reason's code in an erasure entry."""
    return str(orjson.loads(erasure.payload or b"{}").get("reason", "unknown"))


def still_there(store: LogStore, done: Erased) -> int:
    """How many of the entries that a run erased have a payload or a salt all the same."""
    there = or_(log_entry.c.payload.is_not(None), log_entry.c.salt.is_not(None))
    with store.exclusive() as engine, engine.connect() as connection:
        return sum(
            len(connection.execute(select(log_entry.c.idx).where(log_entry.c.idx.in_(batch), there)).all())
            for batch in _batches([trace.index for trace in done.traces])
        )


def _erasures(store: LogStore) -> Iterator[StoredEntry]:
    for entry in store.of_kind("erasure"):
        if entry.payload is None:
            raise LogDamaged(entry.index, "an erasure entry without its payload")
        yield entry


def _left(store: LogStore, entry_ids: Sequence[str]) -> list[str]:
    there = or_(log_entry.c.payload.is_not(None), log_entry.c.salt.is_not(None))
    query = select(log_entry.c.entry_id).where(log_entry.c.entry_id.in_(entry_ids), there)
    with store.exclusive() as engine, engine.connect() as connection:
        return [str(entry_id) for entry_id in connection.execute(query).scalars()]


def _remove(store: LogStore, entry_ids: Sequence[str]) -> list[Trace]:
    """Removes salts and payloads in one transaction; gives what they were."""
    named = log_entry.c.entry_id.in_(entry_ids)
    with store.exclusive() as engine, engine.connect().execution_options(writes=True) as connection:
        overwrite_what_is_freed(connection)
        with connection.begin():
            what = select(log_entry.c.idx, log_entry.c.kind, log_entry.c.salt, log_entry.c.payload)
            rows = connection.execute(what.where(named)).all()
            connection.execute(update(log_entry).where(named).values(payload=None, salt=None, dictionary=None))
    # A screening's payload is its own, for its id stands in it; that of another kind may be another entry's too.
    return [Trace(row.idx, row.salt, row.payload if row.kind == "screening" else None) for row in rows]


def _batches(items: Sequence[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, MOST_IN_ONE_ENTRY)):
        yield batch
