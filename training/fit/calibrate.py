"""One affine recalibration in log-odds, on out-of-fold margins. It keeps the model additive and monotone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.fit.objective import log_loss_and_chance
from training.fit.terms import Floats, Table, with_values

CLEARLY_OFF = 2.0  # standard errors of the slope from 1
NEWTON_STEPS = 50
HALVINGS = 40
ROUNDING = 1e-12  # of the log loss: near the end a good step changes it by less


@dataclass(frozen=True, slots=True)
class Recalibration:
    """Outcome regressed on the margin (Cox 1958): slope 1 and intercept 0 mean calibrated.

    Standard errors are sandwich estimates that allow for outcomes alike within a family.
    `applied` says whether `recalibrated` changes anything.
    """

    slope: float
    intercept: float
    slope_error: float
    intercept_error: float
    applied: bool


def recalibration(margin: Floats, y: Floats, groups: NDArray[np.intp]) -> Recalibration:
    """Slope and intercept of y (0 or 1, rows) on held-out margins (rows); applied if clearly off and positive.

    Where margins are NaN (too few families for folds) or have no finite slope, nothing is learned: slope 1, errors NaN.
    """
    found = np.full(2, np.nan) if np.isnan(margin).any() else np.array(regressed(y, margin, np.ones(len(y))))
    if np.isnan(found).any():
        return Recalibration(1.0, 0.0, float("nan"), float("nan"), applied=False)
    design = np.vstack([np.ones(len(margin)), margin])
    residual, information = _score(design, y, found)
    families = np.array([np.bincount(groups, row * residual) for row in design])
    bread = np.linalg.inv(information)
    count = families.shape[1]
    meat = np.array([[np.add.reduce(a * b) for b in families] for a in families]) * count / max(count - 1, 1)
    errors = np.sqrt(np.diag(bread @ meat @ bread))
    off = abs(found[1] - 1.0) > CLEARLY_OFF * errors[1]
    return Recalibration(
        float(found[1]), float(found[0]), float(errors[1]), float(errors[0]), applied=bool(off and found[1] > 0)
    )


def regressed(y: Floats | NDArray[np.int8], margin: Floats, weight: Floats | NDArray[np.int64]) -> tuple[float, float]:
    """Intercept and slope of the logistic regression of y (0 or 1) on one margin; arguments (rows,).

    Newton's method from the constant model, each step halved until the log loss falls: full steps run away where scores
    are far too sure. NaN where there is no finite slope: outcomes of one kind, margins all alike, or perfect ranking.
    """
    kept = weight > 0
    y, margin, weight = y[kept].astype(np.float64), margin[kept], weight[kept].astype(np.float64)
    total = float(weight.sum())
    share = float(weight @ y) / total if total else 0.0
    nothing = float("nan"), float("nan")
    if not 0.0 < share < 1.0 or np.ptp(margin) < 1e-9 or _perfect(margin[y == 1], margin[y == 0]):
        return nothing
    middle = float(weight @ margin) / total
    centred = margin - middle  # so that intercept and slope hardly hang together
    at = np.array([np.log(share / (1.0 - share)), 0.0])
    loss, chance = _loss_at(y, centred, weight, at)
    for _ in range(NEWTON_STEPS):
        residual, curvature = weight * (y - chance), weight * chance * (1.0 - chance)
        b = float(curvature @ centred)
        information = np.array([[float(curvature.sum()), b], [b, float(curvature @ centred**2)]])
        step = np.linalg.solve(information, [float(residual.sum()), float(residual @ centred)])
        if np.abs(step).max() < 1e-9 * max(1.0, float(np.abs(at).max())):
            return float(at[0] - at[1] * middle), float(at[1])
        for _ in range(HALVINGS):
            new_loss, new_chance = _loss_at(y, centred, weight, at + step)
            if new_loss <= loss * (1.0 + ROUNDING):
                break
            step = step / 2
        at, loss, chance = at + step, new_loss, new_chance
    return nothing


def _perfect(events: Floats, others: Floats) -> bool:
    """Whether one cut tells all outcomes: then a steeper slope is always better."""
    return bool(events.min() >= others.max() or events.max() <= others.min())


def _loss_at(y: Floats, margin: Floats, weight: Floats, at: Floats) -> tuple[float, Floats]:
    """Weighted log loss of intercept and slope `at`, and each row's probability."""
    losses, chance = log_loss_and_chance(at[0] + at[1] * margin, y)
    return float(weight @ losses), chance


def recalibrated(table: Table, by: Recalibration) -> Table:
    """The table with slope and intercept folded in, where `by.applied`; otherwise the table itself."""
    if not by.applied:
        return table
    terms = tuple(with_values(term, term.by_code() * by.slope) for term in table.terms)
    pairs = tuple(pair.with_grid(pair.grid() * by.slope) for pair in table.pairs)
    return Table(table.intercept * by.slope + by.intercept, terms, pairs)


def _score(design: Floats, y: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Residuals (rows,) and information matrix (2, 2) of the logistic regression."""
    _, chance = log_loss_and_chance(at[0] * design[0] + at[1] * design[1], y)
    weight = chance * (1.0 - chance)
    return y - chance, np.array([[np.add.reduce(weight * a * b) for b in design] for a in design])
