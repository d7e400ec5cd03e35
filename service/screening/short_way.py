"""The short way of a screening: a request that is plainly right is answered without Flask's dispatch (ADR 7).

It does what the view of `POST /v1/screenings` does, over the same desk, and decides nothing else: a request that is in
any way out of the ordinary goes on to Flask as it came, and so does a refusal, to be worded and counted there alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

from service.errors import Problem
from service.records import with_record
from service.screening.desk import Answered, ScreeningDesk
from service.screening.idempotency import Once, idempotency_key
from service.screening.reading import JSON, check_agency, parsed
from service.web import HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ADDRESS = "/v1/screenings"
Noted = Callable[[str, str, int, float], None]
"""Is told method, rule, status and when the request began (`time.perf_counter`)."""
RAISED = "grounds.raised"
"""Where Flask's view finds what went wrong on the short way, to raise it in its own place."""


def raise_again(environ: Mapping[str, Any]) -> None:
    """Raises what the short way met with this request; does nothing where it met nothing."""
    error = environ.get(RAISED)
    if error is not None:
        raise error


class ShortWay:
    """Stands before Flask, which it calls for all but a plainly right screening."""

    def __init__(self, desk: ScreeningDesk, body_limit: int, noted: Noted) -> None:
        """`body_limit` is in bytes; `noted` is told of each answer."""
        self._desk = desk
        self._limit = body_limit
        self._noted = noted

    def answer(
        self, flask: WSGIApplication, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answers the request, or lets Flask."""
        began = time.perf_counter()
        body = _plain_body(environ, self._limit)
        if body is None:
            return flask(environ, start_response)
        try:
            answered = self._screened(environ, body)
        except Exception as error:
            environ[RAISED] = error
            answered = None
        if answered is None:
            return flask(environ, start_response)
        shown = with_record(answered.answer, answered.record, self._desk.origin)
        kind, size = ("Content-Type", JSON), ("Content-Length", str(len(shown)))
        location = ("Location", f"{ADDRESS}/{answered.record.entry_id}")
        start_response("201 CREATED", [kind, size, *HEADERS, location, *answered.headers])
        self._noted("POST", ADDRESS, 201, began)
        return [shown]

    def _screened(self, environ: WSGIEnvironment, body: bytes) -> Answered | None:
        """The recorded answer; None where the request is to be looked at more closely, and nothing has been done."""
        desk = self._desk
        try:
            caller = desk.keys.caller(environ.get("HTTP_AUTHORIZATION"))
            asked = desk.acceptor.accept(parsed(body))
        except Problem:
            return None
        if asked is None:
            return None

        def read() -> tuple[dict[str, Any], Once | None]:
            check_agency(asked, caller)  # and the acceptor takes listed values alone: what was asked tells all
            return asked, idempotency_key(environ.get("HTTP_IDEMPOTENCY_KEY"), caller, "screening")

        return desk.take(caller, read)


def _plain_body(environ: WSGIEnvironment, limit: int) -> bytes | None:
    """The body of what looks like a screening, left to be read again; None where it does not."""
    if environ["PATH_INFO"] != ADDRESS or environ["REQUEST_METHOD"] != "POST" or environ.get("CONTENT_TYPE") != JSON:
        return None
    if "HTTP_CONTENT_ENCODING" in environ:
        return None
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isdecimal() or not 0 < int(length) <= limit:
        return None
    source = environ["wsgi.input"]
    if isinstance(source, BytesIO):  # read before the turn was taken (service.bodies), and Flask finds it as it is
        body = source.getvalue()
    else:
        body = source.read(int(length))
        environ["wsgi.input"] = BytesIO(body)
    return body if len(body) == int(length) else None
