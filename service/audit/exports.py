"""`GET /v1/log/export`: the log, or a part of it, as a stream of lines that is verified offline."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint
from werkzeug.datastructures import MultiDict

from service.access.keys import Caller
from service.audit.desk import Desk
from service.audit.parameters import Parameters, Unusable, is_number, number, time_from, time_to
from service.audit.proofs import newest_size
from service.audit.shapes import example, parameter
from service.log.export import export_lines, span_of
from service.log.search import first_at
from service.log.search_index import SearchIndex
from service.log.store import LogStore
from service.screening.api import documented

LINES = "application/jsonl"


def exports(desk: Desk, log: LogStore, index: SearchIndex) -> Blueprint:
    """The blueprint of the export of one log."""
    blueprint = Blueprint("log_export", __name__, url_prefix="/v1/log/export", description="Take the log away.")
    content = {LINES: {"schema": {"type": "string"}, "example": example("export")}}
    streamed = {"200": {"description": "The export, format 1", "content": content}}

    @blueprint.route("")
    class Export(MethodView):
        @blueprint.doc(
            summary="Export the log, or the entries from one index or time to another, as JSON Lines",
            parameters=[
                parameter("from", "Index of the first entry, or a time."),
                parameter("to", "Index after the last entry, or a time; a date alone is included."),
            ],
            responses={**documented(200, "", {}, 400, 401, 403, 429, 500, 503), **streamed},
        )
        def get(self) -> Response:
            return desk.serve(lambda caller: export(desk, log, index, caller))

    return blueprint


def export(
    desk: Desk, log: LogStore, index: SearchIndex, caller: Caller, sent: MultiDict[str, str] | None = None
) -> Response:
    """The span from `from` to `to` as a download; `sent` are the parameters, by default the current request's.

    That it is taken away is durable. Raises `Problem` 400, `NotDurable`, `SearchUnavailable`.
    """
    size = newest_size(log)
    given = Parameters({"from", "to"}, sent)
    start = given.read("from", _place(index, size, time_from)) or 0
    stop = given.read("to", _place(index, size, time_to))
    given.check()
    if stop is not None and start > stop:
        given.refuse("from", "must not be behind to")
        given.check()
    # Pinned before it is recorded, so that the export does not hold the entry that tells of it.
    span = span_of(log, start, stop)
    desk.record("export", caller, {"format": "jsonl", "from": span.start, "to": span.stop, "size": span.size})
    response = Response(export_lines(log, span=span), mimetype=LINES)
    response.headers["Content-Disposition"] = f'attachment; filename="log-{span.start}-{span.stop}.jsonl"'
    return response


def _place(index: SearchIndex, size: int, read_time: Callable[[str], str]) -> Callable[[str], int]:
    def read(text: str) -> int:
        if is_number(text):
            return number(0, size)(text)
        try:
            moment = read_time(text)
        except Unusable:
            raise Unusable(f"send an index from 0 to {size}, a date or a time") from None
        return first_at(index, moment, size)

    return read
