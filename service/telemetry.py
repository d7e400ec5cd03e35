"""Ordinary logs: structured, one line of JSON an event, and never any case data.

What may be logged: event name, route (the rule, not the address), status, milliseconds, key id, role, counts.
Never: request bodies, feature values, case references, scores, tokens.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def configure_logging() -> None:
    """Lines of JSON on standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        # A line in one write: print makes two, between which another worker may write.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # psycopg says in lines of its own which error it ignores when it ends a pipeline, at each request that is repeated
    # too; what failed is an event of ours.
    logging.getLogger("psycopg").setLevel(logging.ERROR)


def logger() -> Any:
    """The service's structured logger."""
    return structlog.get_logger("grounds")
