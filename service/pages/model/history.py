"""What was live when, as the log has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from service.log.search import Filters, Query, search
from service.log.search_index import SearchIndex
from service.log.store import LogStore

MOST = 200
"""Activations shown, the newest first."""


@dataclass(frozen=True, slots=True)
class Live:
    """One model that was live: from when until when (None: still), and the index of the entry that says so."""

    version: str
    synthetic: bool
    begins: str
    ends: str | None
    overridden: tuple[str, ...]
    index: int


def history(log: LogStore, index: SearchIndex) -> list[Live]:
    """The models made active, the newest first. Raises `SearchUnavailable`."""
    page = search(index, Query(Filters(kind="model_activated"), log.size(), limit=MOST))
    found: list[Live] = []
    ends: str | None = None
    for facts in page.entries:
        entry = log.get_index(facts.index)
        said: dict[str, Any] = orjson.loads(entry.payload) if entry is not None and entry.payload is not None else {}
        model = said.get("model", {})
        found.append(
            Live(
                version=model.get("version", ""),
                synthetic=bool(model.get("synthetic")),
                begins=facts.at,
                ends=ends,
                overridden=tuple(said.get("gates_overridden", ())),
                index=facts.index,
            )
        )
        ends = facts.at
    return found
