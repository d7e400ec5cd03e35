"""`GET /v1/log/entries` searches the log; `GET /v1/log/entries/{index}` shows one entry whole, with its proof."""

from __future__ import annotations

from dataclasses import asdict

import orjson
from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from service.access.keys import Caller
from service.audit.desk import Desk
from service.audit.proofs import inclusion_of, newest_size
from service.audit.searching import PARAMETERS, read_query, recorded_page
from service.audit.shapes import EntrySchema, PageSchema, example
from service.errors import problem
from service.log.entry import EntryError, read_leaf
from service.log.export import entry_fields
from service.log.search_index import SearchIndex
from service.log.store import LogStore
from service.screening.api import documented
from service.screening.reading import JSON


def entries(desk: Desk, log: LogStore, index: SearchIndex) -> Blueprint:
    """The blueprint of the entries of one log."""
    blueprint = Blueprint("log_entries", __name__, url_prefix="/v1/log/entries", description="Search the log.")

    @blueprint.route("")
    class Entries(MethodView):
        @blueprint.doc(
            summary="Search the log; pages stay as they were begun while the log grows",
            parameters=PARAMETERS,
            responses=documented(200, "One page", PageSchema, 400, 401, 403, 429, 500, 503, example=example("entries")),
        )
        def get(self) -> Response:
            return desk.serve(lambda caller: _search(desk, log, index, caller))

    @blueprint.route("/<int:at>")
    class Entry(MethodView):
        @blueprint.doc(
            summary="One entry whole: leaf, payload, salt, and the proof that it is in the log",
            responses=documented(
                200, "The entry", EntrySchema, 401, 403, 404, 429, 500, 503, example=example("entries/{at}")
            ),
        )
        def get(self, at: int) -> Response:
            return desk.serve(lambda caller: _entry(desk, log, caller, at))

    return blueprint


def _search(desk: Desk, log: LogStore, index: SearchIndex, caller: Caller) -> Response:
    query = read_query(newest_size(log))
    checkpoint = log.checkpoint_at(query.size)
    page = recorded_page(query, desk, index, caller)
    body = {
        "entries": [asdict(facts) for facts in page.entries],
        "size": query.size,
        "checkpoint": checkpoint,
        "next": None if page.following is None else page.following.cursor(),
    }
    return Response(orjson.dumps(body), mimetype=JSON)


def _entry(desk: Desk, log: LogStore, caller: Caller, at: int) -> Response:
    size = newest_size(log)
    if at >= size:
        raise problem("not_found")
    stored = log.get_index(at)  # refuses a damaged one: what is shown here is what the leaf says
    row = next(log.rows(at, at + 1), None)
    if stored is None or row is None:
        raise problem("record_damaged")
    shown = {**inclusion_of(log, at, size), **entry_fields(row, stored.payload)}
    record_look(desk, caller, "entry", at, stored.leaf)
    return Response(orjson.dumps(shown), mimetype=JSON)


def record_look(desk: Desk, caller: Caller, looked_at: str, at: int, leaf: bytes | str) -> None:
    """Makes durable that one entry is about to be shown, or replayed. Raises `NotDurable`."""
    looked: dict[str, object] = {"looked_at": looked_at, "index": at}
    try:
        named = read_leaf(leaf)
    except EntryError:
        pass  # a leaf that says nothing has no id to be named by; its index is there
    else:
        looked["entry_id"] = named.entry_id
        if named.kind == "screening":
            looked["screening_id"] = named.entry_id
    desk.record("lookup", caller, looked)
