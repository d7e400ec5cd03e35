"""`/audit/models`: which model was live when, as a table with a bar a model on one line of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response

from service.access.keys import Caller
from service.log.accounts import models
from service.pages.auditor.room import ReadingRoom
from service.pages.result.picture import Mark

WIDTH = 200.0
NARROWEST = 2.0
"""Of a bar, so that a model that was live for a moment is seen."""


@dataclass(frozen=True, slots=True)
class Row:
    """A model that was made active, as `service.log.accounts.models` has it, and its bar on the line of time."""

    model: dict[str, Any]
    bar: Mark


def timeline_pages(blueprint: Blueprint, room: ReadingRoom) -> None:
    """Adds the address of the timeline. It shows no case data, so no look is recorded."""

    @blueprint.get("/audit/models")
    def timeline() -> Response:
        return room.look(shown)

    def shown(_: Caller) -> Response:
        rows = timeline_rows(models(room.log, quick=True), datetime.now(UTC))
        return room.pages.show("auditor/models.html", rows=rows[::-1])


def timeline_rows(accounts: Sequence[dict[str, Any]], now: datetime) -> list[Row]:
    """A row a model, in the order in which they were live; the line of time runs from the first one to `now`."""
    if not accounts:
        return []
    begins = datetime.fromisoformat(accounts[0]["from"])
    whole = max((now - begins).total_seconds(), 1.0)

    def at(moment: str | None) -> float:
        passed = whole if moment is None else (datetime.fromisoformat(moment) - begins).total_seconds()
        return WIDTH * min(max(passed / whole, 0.0), 1.0)

    rows = []
    for account in accounts:
        start, stop = at(account["from"]), at(account["until"])
        width = max(stop - start, NARROWEST)
        rows.append(Row(account, Mark(round(min(start, WIDTH - width), 1), round(width, 1))))
    return rows
