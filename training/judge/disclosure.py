"""Figures that would rest on too few cases are left out, and named as left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.artefact import DISCLOSURE_THRESHOLD
from training.judge.resample import Floats, figure


def enough(count: float) -> bool:
    """Whether a figure may rest on so many cases."""
    return count >= DISCLOSURE_THRESHOLD


def shown(samples: Floats, rests_on: float) -> dict[str, float | None] | None:
    """The figure with its interval, or None where it rests on too few cases."""
    return figure(samples) if enough(rests_on) else None


def shown_counts(counts: Sequence[int]) -> list[int | None]:
    """Counts that add up to a known total: small ones are None, with as many larger ones as keep them from being
    worked out by subtraction, the smallest first."""
    hidden = [count for count in counts if not enough(count)]
    shown_ones: list[int | None] = [count if enough(count) else None for count in counts]
    for position in np.argsort(counts, kind="stable"):
        if not hidden or (len(hidden) > 1 and enough(sum(hidden))):
            break
        if shown_ones[position] is not None:
            hidden.append(counts[position])
            shown_ones[position] = None
    return shown_ones


def suppressed(cases: int, events: int) -> str | None:
    """Why a group's figures are left out: `cases` or `events` below the threshold, or None."""
    if not enough(cases):
        return "cases"
    return None if enough(events) else "events"


Facts = dict[str, Any]
