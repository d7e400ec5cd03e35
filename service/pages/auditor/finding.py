"""`/audit/search`: the API's search as a form, its results as a table, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response

from service.access.keys import Caller
from service.audit.proofs import newest_size
from service.audit.searching import LEVELS, read_query, recorded_page
from service.errors import Problem
from service.log.entry import KINDS
from service.log.projection import POOLED
from service.log.search import HIGHEST_BAND, ORDERS, Filters, Page, Query
from service.pages.auditor.room import ReadingRoom, asked, fixes
from service.responses.reasons import choices
from service.words.topics import topic

Choice = dict[str, str]


def search_pages(blueprint: Blueprint, room: ReadingRoom) -> None:
    """Adds the address of the search."""
    offered = _Offered(room)

    @blueprint.get("/audit/search")
    def find() -> Response:
        try:
            return room.look(shown)
        except Problem as refusal:  # recorded by the desk
            return offered.form(dict(asked().items()), errors=fixes(refusal), status=refusal.status)

    def shown(caller: Caller) -> Response:
        sent = asked()
        if not sent:
            return offered.form({})
        query = read_query(newest_size(room.log), sent)
        page = recorded_page(query, room.desk, room.index, caller)
        return offered.form(typed(query), page=page, query=query)


class _Offered:
    """The form with the choices that it offers."""

    def __init__(self, room: ReadingRoom) -> None:
        self._show = room.pages.show
        dictionary = room.pages.released.model.dictionary
        words = topic("audit")
        self._agencies = {agency.id: agency.label for agency in dictionary.agencies} | {POOLED: words.search.pooled}
        self._choices: Mapping[str, Mapping[str, str]] = {
            "kind": {kind: words.kind[kind] for kind in sorted(KINDS)},
            "level": {level: topic("result").prompt.level[level] for level in LEVELS},
            "agency": self._agencies,
            "feature": {feature.name: feature.label for feature in dictionary.features},
            "ground": {ground.code: ground.label for ground in dictionary.grounds},
            "response": {action.code: action.label for action in choices().actions},
            "band": {str(band): str(band) for band in range(1, HIGHEST_BAND + 1)},
            "order": {order: words.search.orders[order] for order in ORDERS},
        }

    def form(
        self,
        given: dict[str, str],
        page: Page | None = None,
        query: Query | None = None,
        errors: dict[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        """The form as it was filled in and, below it, what was found."""
        return self._show(
            "auditor/search.html",
            status=status,
            given=given,
            choices={name: self._listed(name, given.get(name)) for name in self._choices},
            agencies=self._agencies,
            page=page,
            query=query,
            errors=errors or {},
        )

    def _listed(self, name: str, chosen: str | None) -> list[Choice]:
        """The choices of a list; one that was asked for and is not among them stays chosen, as the log may know it."""
        offered = dict(self._choices[name])
        if chosen is not None and chosen not in offered:
            offered[chosen] = chosen
        anything = [] if name == "order" else [{"value": "", "text": topic("audit").search.any}]
        return [*anything, *({"value": value, "text": text} for value, text in offered.items())]


def typed(query: Query) -> dict[str, str]:
    """A search as its form shows it: whole days as dates, other times as they are."""
    given = {name: str(value) for name, value in query.filters.given().items()}
    names = {"since": "from", "until": "to", "entry_id": "entry"}
    shown = {names.get(name, name): value for name, value in given.items()}
    shown |= _days(query.filters)
    return {**shown, "order": query.order}


def _days(filters: Filters) -> dict[str, str]:
    midnight = "T00:00:00.000000Z"
    shown = {}
    if filters.since is not None and filters.since.endswith(midnight):
        shown["from"] = filters.since.removesuffix(midnight)
    if filters.until is not None and filters.until.endswith(midnight):
        after = datetime.fromisoformat(filters.until).astimezone(UTC)
        shown["to"] = (after - timedelta(days=1)).date().isoformat()  # it is the end of the day before
    return shown
