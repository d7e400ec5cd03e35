"""How much the table would move with other families in the training data: the range from refits.

Never called a confidence interval: bootstrap refits under-cover. A quarter of the penalty makes up for part of
it (nominal 90 % covered .83 to .87 in the prototype's simulations).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm
from threadpoolctl import threadpool_limits

from training.fit.additive import Progress, family_numbers
from training.fit.basis import Basis, build_basis
from training.fit.folds import resampled_families
from training.fit.objective import LogisticLoss
from training.fit.smoothing import Solution, solve
from training.fit.table_regression import TableRegression, table_from
from training.fit.terms import Floats, Table

PENALTY_SHARE = 0.25
STEPS, PRECISION = 400, 1e-8  # a refit varies far more than what the last digits hold


@dataclass(frozen=True, slots=True)
class Refits:
    """Deviations of each refit from the refits' mean, in log-odds.

    `intercept` has shape (refits,); `terms[j]` has shape (refits, codes of feature j), codes as in `FittedTerm`.
    """

    intercept: Floats
    terms: tuple[Floats, ...]

    def margin_deviations(self, table: Table, X: ArrayLike) -> Floats:
        """Deviation of each row's margin in each refit, shape (rows, refits)."""
        X = np.asarray(X, dtype=np.float64)
        total = np.repeat(self.intercept[None, :], len(X), axis=0)
        for j, term in enumerate(table.terms):
            total += self.terms[j].T[term.codes(X[:, j])]
        return total

    def half_width(self, deviations: Floats, share: float = 0.9) -> Floats:
        """Half width in log-odds, shape (rows,), of the range that would hold `share` of normal refits."""
        spread = np.sqrt(np.add.reduce(deviations**2, axis=1) / max(deviations.shape[1] - 1, 1))
        return np.asarray(norm.ppf(0.5 + share / 2) * spread)


def refit_by_family(
    model: TableRegression,
    X: Floats,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    refits: int = 20,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> Refits:
    """Refits a fitted table regression on families drawn with replacement, over the same bins.

    `X`, `y`, `groups` are the rows that `model` was fitted on. The result does not depend on `n_jobs`.
    """
    X = np.asarray(X, dtype=np.float64)
    families = family_numbers(groups, len(X))
    codes = model.binner_.transform(X)
    outcome = (np.asarray(y) == model.classes_[1]).astype(np.float64)
    basis = build_basis(model.binner_)
    start = Solution(model.parameters_, model.penalties_ * PENALTY_SHARE, 0)
    jobs = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_refit)(codes, outcome, families, basis, start, (seed, number)) for number in range(refits)
    )
    tables: list[Table] = []
    for parameters in jobs:
        tables.append(table_from(model.binner_, parameters[0], basis.expand @ parameters[1:]))
        if progress:
            progress("refits", len(tables) / refits)
    terms = [np.array([table.terms[j].by_code() for table in tables]) for j in range(len(model.binner_.specs))]
    intercepts = np.array([table.intercept for table in tables])
    return Refits(intercepts - intercepts.mean(), tuple(term - term.mean(axis=0) for term in terms))


def _refit(
    codes: NDArray[np.uint8],
    y: Floats,
    families: NDArray[np.intp],
    basis: Basis,
    start: Solution,
    seed: tuple[int, int],
) -> Floats:
    weight = resampled_families(families, np.random.default_rng(seed))
    drawn = weight > 0
    loss = LogisticLoss(codes[drawn], basis.sizes, y[drawn], weight[drawn])
    with threadpool_limits(1, user_api="blas"):
        return solve(loss, basis, start.penalties, start.parameters, STEPS, PRECISION).parameters
