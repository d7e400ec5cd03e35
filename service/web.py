"""Flask as Grounds runs it: what every answer gets, without what no view here uses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, Request, Response, request
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.exceptions import HTTPException

from service.access.keys import SANDBOX_MARK
from service.bodies import Bodies
from service.running.metrics import Metrics
from service.running.telemetry import logger
from service.screening.seats import NEVER_TURNED_AWAY, Seats

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from service.access.senders import Senders
    from service.errors import Problem
    from service.screening.short_way import ShortWay

SLOW_MS = 1000.0
HEADERS = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))
"""What every answer says unless its view said otherwise."""

TURNED_AWAY = "grounds.turned_away"
"""Where stands the problem of a request that was turned away before it came to Flask: it is worded and counted here."""
NO_RULE = "none"
"""What the metrics call the route of an address that is none of ours."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Recorded(Response):
    """An answer whose headers are complete as they stand, so that nothing is left to be worked out when it is sent."""

    def __init__(
        self, body: bytes, status: int, headers: Iterable[tuple[str, str]] = (), kind: str = "application/json"
    ) -> None:
        size = ("Content-Length", str(len(body)))
        super().__init__([body], status, [("Content-Type", kind), size, *HEADERS, *headers])

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(self.status, self.headers.to_wsgi_list())
        return cast(Iterable[bytes], self.response)


class NoSession(SessionInterface):
    """There are no cookies here: who asks is in the key that each request carries."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:
        """Nothing."""
        return self.make_null_session(app)

    def is_null_session(self, obj: object) -> bool:
        """True: there is nothing to be saved."""
        return True


class Web(Flask):
    """Flask with the headers of every answer, and a line for each request that fails on our side or is slow.

    Written as overridden methods and not as before- and after-request functions: Flask looks up and inspects each of
    those at every request, which for these few lines cost more than half of what Flask itself costs.
    """

    session_interface = NoSession()
    seats: Seats | None = None
    """Turns of this worker's requests; None where nothing is limited."""
    bodies: Bodies | None = None
    """Reads bodies before a turn is taken; None where they are read in it."""
    metrics: Metrics | None = None
    """What counts the answers; None where nothing does."""

    senders: Senders
    """Tells whose body it is that takes a turn (set by `service.app`)."""
    short_way: ShortWay | None = None
    """Answers plain screenings before Flask does (`service.running.door`); None where Flask answers all."""
    sandbox: WSGIApplication | None = None
    """Answers the requests with a sandbox key; None where they are refused as any other role's would be."""

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers a request in its turn, or says that there is none."""
        answer: WSGIApplication = super().wsgi_app
        if self.sandbox is not None and SANDBOX_MARK in environ.get("HTTP_AUTHORIZATION", ""):
            answer = self.sandbox
        if self.seats is None or environ["PATH_INFO"] in NEVER_TURNED_AWAY:
            return answer(environ, start_response)
        came = time.perf_counter()
        turned_away: Problem | None = environ.get(TURNED_AWAY)
        if turned_away is None and self.bodies is not None:
            turned_away = self.bodies.read(environ, self.senders.key_id)
        if turned_away is None:
            turned_away = self.seats.take()
        if turned_away is not None:
            return self._turned_away(turned_away, environ, came)(environ, start_response)
        try:
            return answer(environ, start_response)
        finally:
            self.seats.give_back()

    def _turned_away(self, refusal: Problem, environ: WSGIEnvironment, came: float) -> Response:
        """The answer to a request that no view sees, counted as those of the views are."""
        if self.metrics is not None:
            self.metrics.refused(refusal.code)
            method, rule = environ["REQUEST_METHOD"], self._rule(environ)
            self.metrics.answered(_method(method), rule, refusal.status, time.perf_counter() - came)
        response = refusal.response()
        response.headers.extend(HEADERS)
        return response

    def _rule(self, environ: WSGIEnvironment) -> str:
        try:
            adapter = self.url_map.bind("")
            return adapter.match(environ["PATH_INFO"], environ["REQUEST_METHOD"], return_rule=True)[0].rule
        except HTTPException:
            return NO_RULE

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself: no view here is asynchronous, and Flask would look into each again and again."""
        return func

    def full_dispatch_request(self) -> Response:
        """Answers the request; the quick and good ones cost no line."""
        began = time.perf_counter()
        response = super().full_dispatch_request()
        self.noted(request.method, request.url_rule.rule if request.url_rule else NO_RULE, response.status_code, began)
        return response

    def noted(self, method: str, rule: str, status: int, began: float) -> None:
        """Counts an answer to a request that `began` at that reading of `time.perf_counter`."""
        seconds = time.perf_counter() - began
        took = seconds * 1000
        if self.metrics is not None:
            self.metrics.answered(_method(method), rule, status, seconds)
        if status >= 500 or took > SLOW_MS:
            logger().warning("request", route=rule, method=method, status=status, ms=round(took))

    def process_response(self, response: Response) -> Response:
        """Adds the headers that every answer has."""
        if not isinstance(response, Recorded):
            present = response.headers
            for name, value in HEADERS:
                if name not in present:
                    present.add(name, value)
        return super().process_response(response)


def _method(name: str) -> str:
    """The method as a label: what a sender makes up is no label of ours."""
    return name if name in METHODS else "other"
