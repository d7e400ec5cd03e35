"""Table regression: the additive table fitted directly, as one convex problem."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.fit.additive import AdditiveClassifier, Progress
from training.fit.basis import build_basis
from training.fit.binning import Binner
from training.fit.objective import LogisticLoss
from training.fit.smoothing import fit_smooth
from training.fit.terms import MAX_BINS, Floats, Table, TermSpec, centred


class TableRegression(AdditiveClassifier):
    """Penalised logistic regression on bin differences, with the promises as bounds of the problem.

    Monotone in each feature's direction and not known >= reference, exactly. How smooth each feature is follows
    from the data by marginal likelihood (`smoothing`), so there is no cross-validation, no seed and no tuning
    parameter but `max_bins` (2 to 32 known bins a feature).

    After `fit`: `table_`, `classes_`, `penalties_` (one a feature), `n_iter_` (L-BFGS steps), and for
    `shap.LinearExplainer` `coef_` (1, columns), `intercept_` (1,), `design_columns_` (feature of each column).
    """

    def __init__(self, specs: Sequence[TermSpec] | None = None, max_bins: int = MAX_BINS) -> None:
        self.specs = specs
        self.max_bins = max_bins

    def _fit(
        self, specs: Sequence[TermSpec], X: Floats, y: Floats, groups: NDArray[np.intp], progress: Progress
    ) -> None:
        progress("table regression", 0.0)
        binner = Binner(specs, self.max_bins).fit(X)
        sizes = [bins + 2 for bins in binner.bins_]
        self.fit_sums(binner, LogisticLoss(binner.transform(X), sizes, y, np.ones(len(y))))
        progress("table regression", 1.0)

    def fit_sums(self, binner: Binner, loss: LogisticLoss) -> None:
        """Fits on sums over rows that may lie elsewhere; `binner` holds their counts."""
        self.binner_ = binner
        basis = build_basis(binner)
        solution = fit_smooth(loss, basis)
        self.parameters_ = solution.parameters
        self.penalties_ = solution.penalties
        self.n_iter_ = solution.steps
        self.table_ = table_from(self.binner_, solution.parameters[0], solution.by_code(basis))
        self.coef_ = np.concatenate([term.by_code() for term in self.table_.terms])[None, :]
        self.intercept_ = np.array([self.table_.intercept])
        self.design_columns_ = np.repeat(np.arange(len(basis.sizes)), basis.sizes)

    def linear_design(self, X: ArrayLike) -> Floats:
        """Indicators of each feature's code, shape (rows, columns): `intercept_ + design @ coef_[0]` is the margin."""
        codes = self.binner_.transform(self._rows(X))
        starts = np.cumsum([0, *(bins + 2 for bins in self.binner_.bins_)])
        design = np.zeros((len(codes), starts[-1]))  # made once: it is the largest thing of a run
        for j, start in enumerate(starts[:-1]):
            design[np.arange(len(codes)), start + codes[:, j]] = 1.0
        return design


def table_from(binner: Binner, intercept: float, by_code: Floats) -> Table:
    """Centred table from the values of all codes of all features in one vector."""
    starts = np.cumsum([0, *(bins + 2 for bins in binner.bins_)])
    terms = tuple(binner.term(j, by_code[starts[j] : starts[j + 1]]) for j in range(len(binner.specs)))
    return centred(Table(float(intercept), terms))
