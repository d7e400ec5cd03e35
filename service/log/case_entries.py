"""Finds the entries that concern a case or a screening, by unpacking payloads: the log has no index of cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from sqlalchemy import Row

from service.log.canonical import canonical_bytes
from service.log.erasure import Target
from service.log.store import LogDamaged, LogStore


class CaseEntries:
    """The entries of one case, or of some screenings, found while the log is read once from front to back.

    An entry concerns the case where it holds the case_ref, or is a response to a screening that does. A look-up names
    a screening and nothing else of the case, so it stays: who looked must outlast what was looked at.
    """

    def __init__(
        self,
        store: LogStore,
        case_ref: str | None = None,
        screenings: set[str] | None = None,
        progress: Callable[[int, int], None] = lambda done, of: None,
    ) -> None:
        """`progress` gets entries read, and all. `unreadable` lists the indexes of entries that cannot be read."""
        self._store = store
        self._case_ref = case_ref
        self._spelled = None if case_ref is None else canonical_bytes(case_ref)
        self._screenings = set(screenings or ())
        self._progress = progress
        self.unreadable: list[int] = []

    def look(self, start: int, stop: int) -> Iterator[Target]:
        """The entries from `start` to `stop` (exclusive) that concern it, in log order, and are not erased."""
        for row in self._store.rows(start, stop):
            self._progress(row.idx, stop)
            if row.kind == "screening" and row.entry_id in self._screenings:
                if not (row.payload is None and row.salt is None):
                    yield Target(row.idx, row.entry_id, row.kind)
            elif self._concerns(row):
                if row.kind == "screening":
                    self._screenings.add(row.entry_id)
                yield Target(row.idx, row.entry_id, row.kind)

    def _concerns(self, row: Row[*tuple[Any, ...]]) -> bool:
        if row.kind == "erasure" or (self._spelled is None and row.kind != "response"):
            return False  # an erasure names ids alone, and must stay
        try:
            payload = self._store.unpacked(row)
            if payload is None:
                return False
            # In canonical JSON a text has one spelling, so most payloads need no parsing.
            if self._spelled is not None and self._spelled in payload:
                return self._names(orjson.loads(payload)) or self._answers(row.kind, payload)
            return self._answers(row.kind, payload)
        except (LogDamaged, orjson.JSONDecodeError):
            self.unreadable.append(row.idx)
            return False

    def _answers(self, kind: str, payload: bytes) -> bool:
        if kind != "response" or not self._screenings:
            return False
        said = orjson.loads(payload)
        return isinstance(said, dict) and said.get("screening_id") in self._screenings

    def _names(self, value: object) -> bool:
        if isinstance(value, dict):
            return value.get("case_ref") == self._case_ref or any(self._names(inner) for inner in value.values())
        return isinstance(value, list) and any(self._names(inner) for inner in value)
