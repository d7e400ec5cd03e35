"""Figures in steps: where exact ones, set against each other, would give a count back that nothing else tells."""

from __future__ import annotations

import math

from training.judge.disclosure import DISCLOSURE_THRESHOLD
from training.judge.resample import rounded

ROUND = (1, 2, 5, 10)

Figure = dict[str, float | None]


def step_of(number: int) -> float:
    """The smallest step of 1, 2 or 5 in a decimal place that is worth as many of `number` as the threshold."""
    least = DISCLOSURE_THRESHOLD / number
    size = 10.0 ** math.floor(math.log10(least))
    return next(size * times for times in ROUND if size * times >= least * (1 - 1e-9))


def in_steps(figure: Figure, step: float) -> Figure | None:
    """The figure to the nearest step, its interval widened to steps; None where it is not defined."""
    value, low, high = (figure[name] for name in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return None
    ends = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    return {"value": rounded(round(value / step) * step), "low": rounded(ends[0]), "high": rounded(ends[1])}
