"""How much is not known about a group's people: over all features, and over those that each agency may hold.

Agencies share features, so that the answers missing at one less those missing at another could be a few people's.
Shares are therefore rounded to steps of at least as many answers as the disclosure threshold: no difference is exact.
"""

from __future__ import annotations

import math

import numpy as np

from training.judge.disclosure import DISCLOSURE_THRESHOLD, Facts, Mask, enough
from training.judge.held import Held
from training.judge.resample import figure, ratio, rounded

COARSEST = 0.1
"""A step above this says too little to be shown."""
ROUND = (1, 2, 5, 10)


def not_known(held: Held, inside: Mask) -> Facts:
    """The share of the group's answers that are not known; None where it would tell of few."""
    unknown = np.isnan(held.X[inside])
    features = held.dictionary.features
    held_by = {
        agency.id: [j for j, feature in enumerate(features) if agency.id in feature.held_by]
        for agency in held.dictionary.agencies
    }
    named = {agency: columns for agency, columns in held_by.items() if columns}
    found = [_share(held, inside, unknown[:, columns]) for columns in (range(len(features)), *named.values())]
    return {"all": found[0], "by_agency": dict(zip(named, found[1:], strict=True))}


def _share(held: Held, inside: Mask, unknown: Mask) -> dict[str, float | None] | None:
    gaps, answers = int(unknown.sum()), unknown.size
    if not enough(gaps) or not enough(answers - gaps):
        return None
    step = step_of(answers)
    of_case = np.column_stack([unknown.mean(axis=1), np.ones(len(unknown))])
    part, cases = held.draws.only(inside).sums(of_case).T
    return None if step > COARSEST else coarse(figure(ratio(part, cases)), step)


def step_of(answers: int) -> float:
    """The smallest step of 1, 2 or 5 in a decimal place that holds as many of `answers` as the threshold."""
    least = DISCLOSURE_THRESHOLD / answers
    size = 10.0 ** math.floor(math.log10(least))
    return next(size * times for times in ROUND if size * times >= least * (1 - 1e-9))


def coarse(share: dict[str, float | None], step: float) -> dict[str, float | None] | None:
    """A share to the nearest step, its interval widened to steps; None where that is none or all."""
    value, low, high = (share[name] for name in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return None
    nearest = round(value / step) * step
    if nearest <= 0 or nearest >= 1:
        return None
    ends = max(math.floor(low / step) * step, 0.0), min(math.ceil(high / step) * step, 1.0)
    return {"value": rounded(nearest), "low": rounded(ends[0]), "high": rounded(ends[1])}
