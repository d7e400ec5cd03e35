"""Ordinary logs: structured, one line of JSON an event, and never any case data.

What may be logged: event name, route (the rule, not the address), status, milliseconds, key id, role, counts.
Never: request bodies, feature values, case references, scores, tokens.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

_STANDARD_ERROR = 2
# psycopg says in lines of its own which error it ignores when it ends a pipeline, at each request that is repeated too;
# what failed is an event of ours.
logging.getLogger("psycopg").setLevel(logging.ERROR)


class EventLines:
    """Standard error, an event a write: what two workers say at once does not run together within a line.

    Where it is a file on a disk that is full, the event is lost and the request goes on: an answer must not fail for
    want of a line about it.
    """

    def write(self, line: str) -> None:
        """Writes a line, or as much of it as there is room for."""
        with suppress(OSError):
            os.write(_STANDARD_ERROR, line.encode())

    def flush(self) -> None:
        """Nothing is kept back."""


def configure_logging() -> None:
    """Lines of JSON on standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, EventLines())),
        cache_logger_on_first_use=True,
    )


def logger() -> Any:
    """The service's structured logger."""
    return structlog.get_logger("grounds")
