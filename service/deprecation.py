"""An address on its way out says so: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and where to go instead.

Nothing is deprecated today. The policy is in docs/how-to/integrator.md; this holds it to its notice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import wraps
from typing import Any, ParamSpec

from flask import Response
from werkzeug.http import http_date

NOTICE = timedelta(days=365)
"""The least time from a deprecation to its sunset."""
View = ParamSpec("View")


@dataclass(frozen=True, slots=True)
class Deprecation:
    """Since when an address is deprecated, when it stops answering, and what takes its place (days begin in UTC)."""

    since: date
    sunset: date
    successor: str

    def __post_init__(self) -> None:
        if self.sunset - self.since < NOTICE:
            raise ValueError(f"a sunset comes {NOTICE.days} days or more after the deprecation")

    def headers(self) -> dict[str, str]:
        """What each answer of the address says."""
        since, sunset = (datetime.combine(day, time.min, UTC) for day in (self.since, self.sunset))
        return {
            "Deprecation": f"@{int(since.timestamp())}",
            "Sunset": http_date(sunset),
            "Link": f'<{self.successor}>; rel="successor-version"',
        }

    def documented(self, **operation: Any) -> dict[str, Any]:
        """An operation's documentation, marked as deprecated."""
        return {**operation, "deprecated": True}

    def __call__(self, view: Callable[View, Response]) -> Callable[View, Response]:
        """The view with the headers on its answers."""

        @wraps(view)
        def answering(*args: View.args, **kwargs: View.kwargs) -> Response:
            response = view(*args, **kwargs)
            for name, value in self.headers().items():
                response.headers.add(name, value)
            return response

        return answering
