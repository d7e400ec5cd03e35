"""When answers were given (`QuestionnaireResponse.authored`): recorded with what was asked, since answers grow old."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from service.errors import FieldError, problem

AUTHORED = "answers_authored"
"""Its name among what was asked, in the log."""
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


def recorded_authored(resource: Mapping[str, Any], field: str = "authored") -> dict[str, str]:
    """What the log keeps of it, beside what was asked: UTC; nothing where nothing was said. Raises `Problem`."""
    found = authored_of(resource, field)
    return {} if found is None else {AUTHORED: found.isoformat(timespec="seconds")}
