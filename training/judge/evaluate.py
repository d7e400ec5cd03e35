"""How good scores are on held-out families, with intervals by resampling families."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.account.measured import MEASURES
from training.fit.calibrate import regressed
from training.judge.ranking import Ranking
from training.judge.resample import Draws, Measured, ratio, summary

Floats = NDArray[np.float64]

NEWTON_STEPS = 25
ROUNDING = 1e-9
"""Log-odds. Training adds the terms of a case in order and the service exactly: they differ in the last digit."""


def evaluate(y: NDArray[np.int8], margin: Floats, draws: Draws) -> dict[str, Measured]:
    """Every measure in `MEASURES` for log-odds `margin` against outcomes `y`, both (rows,), with intervals."""
    return {name: summary(samples) for name, samples in samples_of(y, margin, draws).items()}


def samples_of(
    y: NDArray[np.int8], margin: Floats, draws: Draws, measures: tuple[str, ...] = MEASURES
) -> dict[str, Floats]:
    """Each measure on the data and on every draw, (1 + resamples,); NaN on a draw with one outcome only.

    Calibration is of y on the log-odds (Cox 1958): slope 1 and intercept 0 are ideal.
    """
    ranking = Ranking.of(y, margin)
    score = 1 / (1 + np.exp(-margin))
    losses = np.column_stack([np.logaddexp(0, np.where(y == 1, -margin, margin)), (y - score) ** 2, np.ones(len(y)), y])
    loss, square, weight, events = draws.sums(losses).T
    found = {"log_loss": ratio(loss, weight), "brier": ratio(square, weight)}
    by_draw = {
        "auc": ranking.auc,
        "average_precision": ranking.average_precision,
        "calibration_slope": lambda counts: regressed(y, margin, counts)[1],
        "calibration_intercept": lambda counts: calibration_in_the_large(y, margin, counts),
    }
    one_outcome = (events == 0) | (events == weight)
    for name in measures:
        samples = draws.each(by_draw[name]) if name in by_draw else found[name]
        found[name] = np.where(one_outcome, np.nan, samples)
    return {name: found[name] for name in measures}


def calibration_in_the_large(y: NDArray[np.int8], margin: Floats, weight: Floats) -> float:
    """The shift of the log-odds, slope held at 1, that makes the mean score equal the share of outcomes."""
    shift = 0.0
    for _ in range(NEWTON_STEPS):
        score = 1 / (1 + np.exp(-(margin + shift)))
        gradient = float(np.sum(weight * (y - score)))
        curvature = float(np.sum(weight * score * (1 - score)))
        step = gradient / max(curvature, 1e-12)
        shift += float(np.clip(step, -2, 2))
        if abs(step) < 1e-10:
            break
    return shift


@dataclass(frozen=True, slots=True)
class Operating:
    """What the threshold does on held-out cases, all as shares of 0 to 1."""

    threshold: float
    share_prompted: float
    sensitivity: float
    precision: float


def threshold_for(margin: Floats, capacity: float) -> float:
    """The lowest threshold (log-odds) at which at most `capacity` of the cases score at or above it.

    It lies a little below the lowest score that it lets in, so that a case there is on the same side wherever its
    terms are added up. Whatever cuts cases by their rank cuts here, so that no two figures differ by a case at an edge.
    """
    values, counts = np.unique(margin, return_counts=True)
    share_at_or_above = np.cumsum(counts[::-1])[::-1] / len(margin)
    first = int(np.searchsorted(-share_at_or_above, -capacity))
    below, at = np.r_[-np.inf, values][first], np.r_[values, np.inf][first]
    return float(max(at - ROUNDING, (below + at) / 2) if np.isfinite(at) else below + ROUNDING)


def ranked_parts(margin: Floats, number: int) -> NDArray[np.intp]:
    """The part, from 0, in which each case lies when the scores are cut into `number` as equal as ties allow."""
    cuts = np.unique([threshold_for(margin, part / number) for part in range(1, number)])
    return np.searchsorted(cuts, margin, side="right")


def operating_point(y: NDArray[np.int8], margin: Floats, capacity: float) -> Operating:
    """What the threshold for a capacity does."""
    threshold = threshold_for(margin, capacity)
    prompted = margin >= threshold
    return Operating(
        threshold=threshold,
        share_prompted=float(prompted.mean()),
        sensitivity=float(prompted[y == 1].mean()),
        precision=float(y[prompted].mean()) if prompted.any() else 0.0,
    )
