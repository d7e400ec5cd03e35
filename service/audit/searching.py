"""A search of the log: its parameters, read and checked; its page, recorded before it is shown."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from service.access.keys import Caller
from service.audit.desk import Desk
from service.audit.parameters import Parameters, Unusable, code, entry_id, number, one_of, time_from, time_to
from service.audit.shapes import parameter
from service.log.entry import KINDS
from service.log.search import (
    HIGHEST_BAND,
    MOST_ON_A_PAGE,
    ORDERS,
    CursorError,
    Filters,
    Page,
    Query,
    read_cursor,
    search,
)
from service.log.search_index import SearchIndex

LEVELS = ("consider_referral", "seek_information", "no_prompt")
USUAL_LIMIT = 50
_CODES = ("agency", "feature", "ground", "key_id", "model", "response")
PARAMETERS = [
    parameter("from", "From this time on: a date, or a time with Z or an offset."),
    parameter("to", "Before this time; a date alone is included."),
    parameter("kind", "Kind of entry, for instance screening."),
    parameter("level", "Level of the prompt that was shown."),
    parameter("band", "Band of the score, 1 to 20.", "integer"),
    parameter("model", "Version of the model."),
    parameter("agency", "Agency that the entry names."),
    parameter("feature", "Name of a feature that was known in the case."),
    parameter("ground", "Code of a ground that was met."),
    parameter("response", "What a practitioner did, in an entry of kind response."),
    parameter("entry", "Id of the entry."),
    parameter("key_id", "Id of the key that asked, or that the entry is about."),
    parameter("order", "newest (first; the default) or oldest."),
    parameter("limit", f"Entries on a page, 1 to {MOST_ON_A_PAGE}.", "integer"),
    parameter("cursor", "The `next` of the page before, sent alone."),
]


def read_query(newest: int, sent: MultiDict[str, str] | None = None) -> Query:
    """The search that a request asks for, of a log of `newest` entries. Raises `Problem` 400.

    `sent` are its parameters, by default those of the current request.
    """
    given = Parameters({str(described["name"]) for described in PARAMETERS}, sent)
    going_on = given.read("cursor", _cursor(newest))
    if "cursor" in given.names() and len(given.names()) > 1:
        given.refuse("cursor", "send it alone; it holds the whole search")
    filters = Filters(
        since=given.read("from", time_from),
        until=given.read("to", time_to),
        kind=given.read("kind", one_of(KINDS)),
        level=given.read("level", one_of(LEVELS)),
        band=given.read("band", number(1, HIGHEST_BAND)),
        entry_id=given.read("entry", entry_id),
        **{name: given.read(name, code) for name in _CODES},
    )
    order: Any = given.read("order", one_of(ORDERS)) or "newest"
    limit = given.read("limit", number(1, MOST_ON_A_PAGE)) or USUAL_LIMIT
    given.check()
    return going_on or Query(filters, newest, order, limit)


def recorded_page(query: Query, desk: Desk, index: SearchIndex, caller: Caller) -> Page:
    """The page of a search; that this caller is shown it is durable. Raises `NotDurable`, `SearchUnavailable`."""
    page = search(index, query)
    desk.record("lookup", caller, _recorded(query, page))
    return page


def _cursor(newest: int) -> Any:
    def read(text: str) -> Query:
        try:
            query = read_cursor(text)
        except CursorError as error:
            raise Unusable(f"{error}; begin the search again") from None
        if query.size > newest:
            raise Unusable("is of a longer log than this one; begin the search again, and verify the log")
        return query

    return read


def _recorded(query: Query, page: Page) -> dict[str, object]:
    """What was asked and exactly which entries were shown.

    Codes that matched nothing are not kept, only that they were asked for: they are the auditor's own text.
    """
    given = query.filters.given()
    kept = {name: value for name, value in given.items() if page.entries or name not in _CODES}
    return {
        "looked_at": "search",
        "asked": sorted(given),
        "filters": kept,
        "indexes": [facts.index for facts in page.entries],
        "order": query.order,
        "size": query.size,
    }
