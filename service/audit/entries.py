"""`GET /v1/log/entries` searches the log; `GET /v1/log/entries/{index}` shows one entry whole, with its proof."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import orjson
from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from service.access import Caller
from service.api import documented
from service.audit.desk import Desk
from service.audit.parameters import Parameters, Unusable, code, entry_id, number, one_of, time_from, time_to
from service.audit.proofs import inclusion_of, newest_size
from service.audit.shapes import EntrySchema, PageSchema, parameter
from service.errors import problem
from service.log.entry import KINDS, read_leaf
from service.log.export import entry_fields
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
from service.log.store import LogStore
from service.reading import JSON

LEVELS = ("consider_referral", "seek_information", "no_prompt")
USUAL_LIMIT = 50
_CODES = ("agency", "feature", "ground", "key_id", "model", "response")
_PARAMETERS = [
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


def entries(desk: Desk, log: LogStore, index: SearchIndex) -> Blueprint:
    """The blueprint of the entries of one log."""
    blueprint = Blueprint("log_entries", __name__, url_prefix="/v1/log/entries", description="Search the log.")

    @blueprint.route("")
    class Entries(MethodView):
        @blueprint.doc(
            summary="Search the log; pages stay as they were begun while the log grows",
            parameters=_PARAMETERS,
            responses=documented(200, "One page", PageSchema, 400, 401, 403, 429, 500, 503),
        )
        def get(self) -> Response:
            return desk.serve(lambda caller: _search(desk, log, index, caller))

    @blueprint.route("/<int:at>")
    class Entry(MethodView):
        @blueprint.doc(
            summary="One entry whole: leaf, payload, salt, and the proof that it is in the log",
            responses=documented(200, "The entry", EntrySchema, 401, 403, 404, 429, 500, 503),
        )
        def get(self, at: int) -> Response:
            return desk.serve(lambda caller: _entry(desk, log, caller, at))

    return blueprint


def _search(desk: Desk, log: LogStore, index: SearchIndex, caller: Caller) -> Response:
    query = _query(newest_size(log))
    checkpoint = log.checkpoint_at(query.size)
    page = search(index, query)
    desk.record("lookup", caller, _recorded(query, page))
    body = {
        "entries": [asdict(facts) for facts in page.entries],
        "size": query.size,
        "checkpoint": checkpoint,
        "next": None if page.following is None else page.following.cursor(),
    }
    return Response(orjson.dumps(body), mimetype=JSON)


def _query(newest: int) -> Query:
    given = Parameters({str(described["name"]) for described in _PARAMETERS})
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


def _entry(desk: Desk, log: LogStore, caller: Caller, at: int) -> Response:
    size = newest_size(log)
    if at >= size:
        raise problem("not_found")
    stored = log.get_index(at)  # refuses a damaged one: what is shown here is what the leaf says
    row = next(log.rows(at, at + 1), None)
    if stored is None or row is None:
        raise problem("record_damaged")
    shown = {**inclusion_of(log, at, size), **entry_fields(row, stored.payload)}
    leaf = read_leaf(stored.leaf)
    looked: dict[str, object] = {"looked_at": "entry", "index": at, "entry_id": leaf.entry_id}
    if leaf.kind == "screening":
        looked["screening_id"] = leaf.entry_id
    desk.record("lookup", caller, looked)
    return Response(orjson.dumps(shown), mimetype=JSON)
