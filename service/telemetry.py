"""Ordinary logs: structured, one line of JSON an event, and never any case data.

What may be logged: event name, route (the rule, not the address), status, milliseconds, key id, role, counts.
Never: request bodies, feature values, case references, scores, tokens.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import structlog
from flask import Flask, Response, g, request


def configure_logging() -> None:
    """Lines of JSON on standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def logger() -> Any:
    """The service's structured logger."""
    return structlog.get_logger("grounds")


def log_slow_and_failed(app: Flask, slow_ms: float = 1000.0) -> None:
    """Logs a line for each request that fails on our side or is slow; the quick and good ones cost nothing."""

    @app.before_request
    def _start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def _finish(response: Response) -> Response:
        took = (time.perf_counter() - g.started) * 1000 if "started" in g else 0.0
        if response.status_code >= 500 or took > slow_ms:
            rule = request.url_rule.rule if request.url_rule else "none"
            logger().warning("request", route=rule, method=request.method, status=response.status_code, ms=round(took))
        return response
