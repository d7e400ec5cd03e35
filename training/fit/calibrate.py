"""One affine recalibration in log-odds, on out-of-fold margins. It keeps the model additive and monotone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.fit.objective import log_loss_and_chance
from training.fit.terms import Floats, Table, with_values

CLEARLY_OFF = 2.0  # standard errors of the slope from 1
NEWTON_STEPS = 50


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

    Where margins are NaN (too few families for folds) or all alike, there is nothing to learn: slope 1, errors NaN.
    """
    if np.isnan(margin).any() or np.ptp(margin) < 1e-9:
        return Recalibration(1.0, 0.0, float("nan"), float("nan"), applied=False)
    design = np.vstack([np.ones(len(margin)), margin])
    found = np.array([0.0, 1.0])
    for _ in range(NEWTON_STEPS):
        residual, information = _score(design, y, found)
        step = np.linalg.solve(information, np.add.reduce(design * residual, axis=1))
        found = found + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-10:
            break
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
