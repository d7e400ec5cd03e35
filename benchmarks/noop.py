"""The floor: a Flask route that reads the same body and answers nothing, on the very server that Grounds runs on.

Everything but the application is the service's own: its settings, its server's options, its pinning to cores and its
switch interval. With GROUNDS_BENCH_UNPINNED it has neither of the last two, as the server comes.
"""

from __future__ import annotations

import os
import sys
from typing import Any
from unittest import mock

from flask import Flask, Response, request
from granian import Granian
from granian.constants import Interfaces

from service.running import server
from service.running.worker import THREADS_A_SEAT, claim_core
from service.settings import read_settings

UNPINNED = "GROUNDS_BENCH_UNPINNED"


def wsgi() -> Flask:
    """The application of one worker (granian's factory)."""
    if UNPINNED not in os.environ:
        claim_core(read_settings().var / "run")
        sys.setswitchinterval(0.02)  # as service.running.worker does
    return application()


def application() -> Flask:
    """The route that does nothing, and what else a benchmark asks of a server."""
    app = Flask("noop", static_folder=None)

    @app.post("/v1/screenings")
    def screenings() -> Response:
        request.get_data()
        return Response(b"{}", 201, mimetype="application/json")

    @app.get("/page")
    def page() -> Response:
        return Response(b"{}", mimetype="text/html")

    @app.get("/readyz")
    def readyz() -> Response:
        return Response(b"{}", mimetype="application/json")

    return app


def main() -> None:
    """Serves until stopped, as `service.running.server` does: only the application that is loaded is another."""

    def instead(_target: str, **options: Any) -> object:
        wsgi = {"interface": Interfaces.WSGI, "blocking_threads": THREADS_A_SEAT * read_settings().threads}
        return Granian("benchmarks.noop:wsgi", **{**options, **wsgi})

    with mock.patch.object(server, "Granian", instead):
        server.serve_workers(read_settings())


if __name__ == "__main__":
    main()
