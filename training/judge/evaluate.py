"""How good scores are on held-out families, with intervals by resampling families."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

Floats = NDArray[np.float64]

RESAMPLES = 100
INTERVAL = (2.5, 97.5)
"""Percentiles of the resamples: a 95 % bootstrap interval (Efron and Tibshirani 1993, chapter 13)."""
MEASURES = ("auc", "average_precision", "log_loss", "brier", "calibration_slope", "calibration_intercept")


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure and its interval."""

    value: float
    low: float
    high: float


def evaluate(
    y: NDArray[np.int8], margin: Floats, groups: NDArray[np.int64], seed: int, jobs: int = 2
) -> dict[str, Measured]:
    """Every measure in `MEASURES` for log-odds `margin` against outcomes `y`, both (rows,).

    Intervals come from resampling whole families with replacement, so that siblings count as one piece of evidence.
    """
    _, family = np.unique(groups, return_inverse=True)
    families = int(family.max()) + 1
    draws = np.random.default_rng(seed).multinomial(families, np.full(families, 1 / families), size=RESAMPLES)
    point = measure(y, margin, np.ones(len(y)))
    rows = Parallel(n_jobs=jobs)(delayed(_resampled)(y, margin, draw[family]) for draw in draws)
    kept = [row for row in rows if row is not None]
    return {
        name: Measured(point[name], *(float(np.percentile([row[name] for row in kept], edge)) for edge in INTERVAL))
        for name in MEASURES
    }


def _resampled(y: NDArray[np.int8], margin: Floats, counts: NDArray[np.int64]) -> Mapping[str, float] | None:
    keep = counts > 0
    # A resample of a small file may hold one outcome only; no measure is defined on it.
    return measure(y[keep], margin[keep], counts[keep].astype(float)) if 0 < y[keep].sum() < keep.sum() else None


def measure(y: NDArray[np.int8], margin: Floats, weight: Floats) -> dict[str, float]:
    """The measures without intervals. Calibration is of y on the log-odds (Cox 1958): slope 1, intercept 0 is ideal."""
    score = 1 / (1 + np.exp(-margin))
    return {
        "auc": float(roc_auc_score(y, margin, sample_weight=weight)),
        "average_precision": float(average_precision_score(y, margin, sample_weight=weight)),
        "log_loss": float(log_loss(y, score, sample_weight=weight)),
        "brier": float(brier_score_loss(y, score, sample_weight=weight)),
        "calibration_slope": _slope(y, margin, weight),
        "calibration_intercept": calibration_in_the_large(y, margin, weight),
    }


def _slope(y: NDArray[np.int8], margin: Floats, weight: Floats) -> float:
    fitted = LogisticRegression(C=np.inf, max_iter=200).fit(margin[:, None], y, sample_weight=weight)
    return float(fitted.coef_[0, 0])


def calibration_in_the_large(y: NDArray[np.int8], margin: Floats, weight: Floats) -> float:
    """The shift of the log-odds, slope held at 1, that makes the mean score equal the share of outcomes."""
    shift = 0.0
    for _ in range(25):
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


def operating_point(y: NDArray[np.int8], margin: Floats, capacity: float) -> Operating:
    """The lowest threshold (log-odds) at which at most `capacity` of the cases score at or above it."""
    values, counts = np.unique(margin, return_counts=True)
    share_at_or_above = np.cumsum(counts[::-1])[::-1] / len(margin)
    within = values[share_at_or_above <= capacity]
    threshold = float(within[0]) if len(within) else float(np.nextafter(values[-1], np.inf))
    prompted = margin >= threshold
    return Operating(
        threshold=threshold,
        share_prompted=float(prompted.mean()),
        sensitivity=float(prompted[y == 1].mean()),
        precision=float(y[prompted].mean()) if prompted.any() else 0.0,
    )
