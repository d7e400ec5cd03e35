"""`/audit/responses`: how often practitioners decided otherwise than the prompt. Small counts are not shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response

from service.access.keys import Caller
from service.log.accounts import BREAKDOWNS, responses
from service.log.disclosure import is_small
from service.log.projection import POOLED
from service.pages.auditor.room import ReadingRoom
from service.responses.reasons import choices
from service.words.topics import topic

WIDTH = 200.0


@dataclass(frozen=True, slots=True)
class Rate:
    """One group's counts; None where they are too small to be shown. `share` is 0 to 1, `bar` its width."""

    label: str
    responses: int | None
    disagreed: int | None
    share: float | None
    bar: float | None


def rate_pages(blueprint: Blueprint, room: ReadingRoom) -> None:
    """Adds the address of the override rates."""
    labels = _labels(room)

    @blueprint.get("/audit/responses")
    def rates() -> Response:
        return room.look(shown)

    def shown(caller: Caller) -> Response:
        account = responses(room.log, quick=True)
        room.desk.record("lookup", caller, {"looked_at": "responses", "size": room.log.size()})
        tables = {
            name: [rate(labels.get(one, one), counts) for one, counts in account[name].items()] for name in BREAKDOWNS
        }
        return room.pages.show(
            "auditor/responses.html",
            account=account,
            overall=rate("", account["all"]),
            tables=tables,
            reasons={labels.get(code, code): count for code, count in account["reasons"].items()},
        )


def rate(label: str, counts: Mapping[str, Any]) -> Rate:
    """The rate of one group. A share of a small count is not worked out, as at the command line."""
    answered, disagreed = counts["responses"], counts["disagreed"]
    share = None
    if answered and disagreed is not None and not is_small(disagreed):
        share = disagreed / answered
    return Rate(label, answered, disagreed, share, None if share is None else round(WIDTH * share, 1))


def _labels(room: ReadingRoom) -> dict[str, str]:
    """Words for the codes of agencies, levels and reasons; a model's version stands for itself."""
    agencies = {agency.id: agency.label for agency in room.pages.released.model.dictionary.agencies}
    levels = topic("result").prompt.level
    reasons = {reason.code: reason.label for reason in choices().reasons}
    return {POOLED: topic("audit").search.pooled, **agencies, **{level: levels[level] for level in levels}, **reasons}
