"""When answers were given and how far they had come (`authored`, `status`): recorded with what was asked.

Answers grow old, and some are not whole yet: a resource that we make of them later says of both what their sender said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from service.errors import FieldError, problem

AUTHORED = "answers_authored"
STATUS = "answers_status"
"""Their names among what was asked, in the log."""
WHOLE = "completed"
"""The status of answers of which the log keeps none: those that came as JSON, and most that came as FHIR."""
CLOCKS_DIFFER = timedelta(days=1)
"""Time zones left out, and clocks."""
_FIX = "send a date with or without a time, as in 2026-04-01 or 2026-04-01T09:30:00Z, and not of the future"


def authored_of(resource: Mapping[str, Any], field: str = "authored") -> datetime | None:
    """When the answers were given; None where that is not said. Raises `Problem` 422 for what is no date, or to come.

    FHIR R4 has dates of a year or a month too; those are refused, since nobody could say how old the answers are.
    """
    if "authored" not in resource:
        return None
    try:
        read = datetime.fromisoformat(str(resource["authored"]))
        found = read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        found = None
    if found is None or found > datetime.now(UTC) + CLOCKS_DIFFER:
        raise problem("refused", [FieldError(field, _FIX)])
    return found


def kept_of(resource: Mapping[str, Any], field: str = "authored") -> dict[str, str]:
    """What the log keeps beside what was asked. Raises `Problem` as `authored_of`; the status was checked before.

    A time is kept as UTC and a date as the date it is: midnight would say more than the sender did.
    """
    found = authored_of(resource, field)
    kept = {} if found is None else {AUTHORED: _dated(str(resource["authored"]), found)}
    return kept if resource["status"] == WHOLE else {**kept, STATUS: str(resource["status"])}


def _dated(sent: str, found: datetime) -> str:
    try:
        return date.fromisoformat(sent).isoformat()
    except ValueError:
        return found.isoformat(timespec="seconds")
