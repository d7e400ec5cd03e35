"""How much the table would move with other families in the training data: the range from refits.

Never called a confidence interval: bootstrap refits under-cover. A quarter of the penalty makes up for part of
it (nominal 90 % covered .83 to .87 in the prototype's simulations).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm
from threadpoolctl import threadpool_limits

from training.fit.additive import Progress, family_numbers
from training.fit.basis import Basis, build_basis
from training.fit.binning import Binner
from training.fit.folds import resampled_families
from training.fit.objective import LogisticLoss
from training.fit.pair_fit import FittedPairs, fit_pairs, margin_by
from training.fit.smoothing import Solution, solve
from training.fit.table_regression import TableRegression, table_from
from training.fit.terms import Floats, Table, purified

PENALTY_SHARE = 0.25
PRECISION = 1e-5  # of the log loss in all: far less than refits differ by


@dataclass(frozen=True, slots=True)
class Refits:
    """Deviations of each refit from the refits' mean, in log-odds.

    `intercept` has shape (refits,); `terms[j]` has shape (refits, codes of feature j), codes as in `FittedTerm`;
    `pairs[p]` (refits, rows, columns) as in `FittedPair`.
    """

    intercept: Floats
    terms: tuple[Floats, ...]
    pairs: tuple[Floats, ...] = ()

    def margin_deviations(self, table: Table, X: ArrayLike) -> Floats:
        """Deviation of each row's margin in each refit, shape (rows, refits). `table` has the refits' pairs."""
        X = np.asarray(X, dtype=np.float64)
        total = np.repeat(self.intercept[None, :], len(X), axis=0)
        for j, term in enumerate(table.terms):
            total += self.terms[j].T[term.codes(X[:, j])]
        for pair, deviations in zip(table.pairs, self.pairs, strict=True):
            rows, columns = (np.array(groups) for groups in pair.groups)
            first, second = (table.terms[j].codes(X[:, j]) for j in (pair.first, pair.second))
            total += deviations.transpose(1, 2, 0)[rows[first], columns[second]]
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
    pairs: FittedPairs | None = None,
) -> Refits:
    """Refits a fitted table regression on families drawn with replacement, over the same bins.

    `X`, `y`, `groups` are the rows that `model` was fitted on; `pairs` are refitted on top of each refit, with the same
    share of their penalties. The result does not depend on `n_jobs`.
    """
    X = np.asarray(X, dtype=np.float64)
    families = family_numbers(groups, len(X))
    codes = model.binner_.transform(X)
    outcome = (np.asarray(y) == model.classes_[1]).astype(np.float64)
    basis = build_basis(model.binner_)
    grids = FittedPairs((), ()) if pairs is None else pairs
    start = Solution(model.parameters_, model.penalties_ * PENALTY_SHARE, 0)
    jobs = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_refit)(codes, outcome, families, model.binner_, basis, start, grids, (seed, number))
        for number in range(refits)
    )
    tables: list[Table] = []
    for table in jobs:
        tables.append(table)
        if progress:
            progress("refits", len(tables) / refits)
    terms = [np.array([table.terms[j].by_code() for table in tables]) for j in range(len(model.binner_.specs))]
    intercepts = np.array([table.intercept for table in tables])
    cells = [np.array([table.pairs[p].grid() for table in tables]) for p in range(len(grids.pairs))]
    return Refits(
        intercepts - intercepts.mean(), *(tuple(one - one.mean(axis=0) for one in of) for of in (terms, cells))
    )


def _refit(
    codes: NDArray[np.uint8],
    y: Floats,
    families: NDArray[np.intp],
    binner: Binner,
    basis: Basis,
    start: Solution,
    grids: FittedPairs,
    seed: tuple[int, int],
) -> Table:
    weight = resampled_families(families, np.random.default_rng(seed))
    drawn = weight > 0
    codes, y, weight = codes[drawn], y[drawn], weight[drawn]
    loss = LogisticLoss(codes, basis.sizes, y, weight)
    with threadpool_limits(1, user_api="blas"):
        parameters = solve(loss, basis, start.penalties, start.parameters, PRECISION).parameters
        table = table_from(binner, parameters[0], basis.expand @ parameters[1:])
        if not grids.pairs:
            return table
        penalties = [PENALTY_SHARE * penalty for penalty in grids.penalties]
        positions = [(pair.first, pair.second) for pair in grids.pairs]
        fitted = fit_pairs(table, codes, margin_by(table, codes), y, positions, weight, penalties).pairs
    # Purified against the training rows, as the model's own pairs are, and not against the rows drawn.
    again = tuple(pair.with_grid(new.grid()) for pair, new in zip(grids.pairs, fitted, strict=True))
    return purified(replace(table, pairs=again))
