"""Boosted stumps on the bins' codes, in grouped bags, compiled exactly to a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from training.fit.additive import AdditiveClassifier, Progress
from training.fit.basis import between_its_levels
from training.fit.binning import Binner
from training.fit.folds import held_out_families
from training.fit.table_regression import table_from
from training.fit.terms import MAX_BINS, Floats, Table, TermSpec, combine

LEFT_OUT = 0.4  # share of families that tell a bag when to stop (docs/adr/0010)
MOST_ROWS = 250_000  # of a bag: of more it draws families at random (docs/adr/0013)
DRAWN_APART = 1_000_003  # added to the seed, so that what is drawn and what is left out do not hang together
FEWEST_LEFT_OUT_EVENTS = 3  # below this a bag cannot tell when to stop and takes FIXED_ROUNDS
FIXED_ROUNDS, MOST_ROUNDS, PATIENCE = 40, 400, 15
SMOOTHED_BY = 20.0  # rows at the average rate added to each category level before levels are ordered


@dataclass(frozen=True, slots=True)
class DesignColumn:
    """One numeric column of a bag: what each code of one feature becomes in it."""

    feature: int
    by_code: Floats
    direction: int  # monotonic constraint of the column: 1, -1 or 0


@dataclass(frozen=True, slots=True)
class Bag:
    """One boosted estimator with the design matrix it was fitted on."""

    binner: Binner
    columns: tuple[DesignColumn, ...]
    estimator: HistGradientBoostingClassifier

    @property
    def design_columns(self) -> NDArray[np.intp]:
        """Feature of each design column, to sum a column's Shapley values back to features."""
        return np.array([column.feature for column in self.columns], dtype=np.intp)

    def design(self, X: Floats) -> Floats:
        """Design matrix of encoded rows, shape (rows, design columns): what `estimator` predicts from."""
        return self.design_of_codes(self.binner.transform(np.asarray(X, dtype=np.float64)))

    def design_of_codes(self, codes: NDArray[np.uint8]) -> Floats:
        """The same from codes, for a caller that has them: all bags share their bins."""
        return _design(self.columns, codes)

    def table(self) -> Table:
        """The bag as a table: every code of every feature is put to the estimator, the others held at code 0.

        Exact, because the estimator is additive. Monotone exactly, because each tree is and rounding is.
        """
        sizes = [bins + 2 for bins in self.binner.bins_]
        codes = np.zeros((1 + sum(sizes), len(sizes)), dtype=np.uint8)
        start = 1
        for j, size in enumerate(sizes):
            codes[start : start + size, j] = np.arange(size)
            start += size
        margins = self.estimator.decision_function(_design(self.columns, codes))
        return table_from(self.binner, margins[0], margins[1:] - margins[0])


class BoostedBags(AdditiveClassifier):
    """Additive gradient boosting (scikit-learn's, stumps), averaged over bags of families.

    Every bag leaves out its own 40 % of families, stops on their log loss and is cut back to its best round. Of more
    than `MOST_ROWS` rows it has its own families with about so many.
    Not known: between the levels of a directed yes_no; elsewhere the reference's code, plus an indicator column
    constrained to raise. Not applicable: the reference's code plus a free indicator.

    After `fit`: `table_`, `classes_`, `bags_`. The result depends on `seed` and not on `n_jobs`.
    """

    def __init__(
        self,
        specs: Sequence[TermSpec] | None = None,
        bags: int = 8,
        learning_rate: float = 0.5,
        max_bins: int = MAX_BINS,
        seed: int = 0,
        n_jobs: int | None = None,
    ) -> None:
        self.specs = specs
        self.bags = bags
        self.learning_rate = learning_rate
        self.max_bins = max_bins
        self.seed = seed
        self.n_jobs = n_jobs

    def _fit(
        self, specs: Sequence[TermSpec], X: Floats, y: Floats, groups: NDArray[np.intp], progress: Progress
    ) -> None:
        progress("boosted bags", 0.0)
        binner = Binner(specs, self.max_bins).fit(X)
        codes = binner.transform(X)
        jobs = Parallel(n_jobs=self.n_jobs, return_as="generator")(
            delayed(fit_bag)(binner, codes, y, groups, self.learning_rate, self.seed + number)
            for number in range(self.bags)
        )
        self.bags_: list[Bag] = []
        for bag in jobs:
            self.bags_.append(bag)
            progress("boosted bags", len(self.bags_) / self.bags)
        self.table_ = combine([bag.table() for bag in self.bags_], [1.0 / self.bags] * self.bags)


def fit_bag(
    binner: Binner, codes: NDArray[np.uint8], y: Floats, groups: NDArray[np.intp], learning_rate: float, seed: int
) -> Bag:
    """One bag, on one thread: scikit-learn's OpenMP loops slow down many times over on a shared core."""
    if len(y) > MOST_ROWS:
        drawn = held_out_families(y, groups, MOST_ROWS / len(y), seed + DRAWN_APART)
        codes, y, groups = codes[drawn], y[drawn], groups[drawn]
    held_out = held_out_families(y, groups, LEFT_OUT, seed)
    can_stop = min(y[held_out].sum(), (1.0 - y[held_out]).sum()) >= FEWEST_LEFT_OUT_EVENTS
    fitted = ~held_out if can_stop else np.ones(len(y), dtype=bool)
    columns = _columns(binner, codes[fitted], y[fitted])
    estimator = HistGradientBoostingClassifier(
        learning_rate=learning_rate,
        max_iter=MOST_ROUNDS if can_stop else FIXED_ROUNDS,
        max_leaf_nodes=2,
        min_samples_leaf=10,
        l2_regularization=10.0,
        max_bins=64,  # more than any column has distinct values, so every code keeps its own bin
        interaction_cst="no_interactions",
        monotonic_cst=[column.direction for column in columns],
        early_stopping=bool(can_stop),
        n_iter_no_change=PATIENCE,
        tol=0.0,
        random_state=seed,
    )
    design = _design(columns, codes[fitted])
    with threadpool_limits(1):
        if can_stop:
            estimator.fit(design, y[fitted], X_val=_design(columns, codes[held_out]), y_val=y[held_out])
            _cut_back(estimator)
        else:
            estimator.fit(design, y)
    return Bag(binner, columns, estimator)


def _cut_back(estimator: HistGradientBoostingClassifier) -> None:
    """Drops the rounds after the best one; scikit-learn keeps the stale ones (its own `n_iter_` follows)."""
    best = int(np.argmax(estimator.validation_score_))  # index 0 is the score before the first round
    del estimator._predictors[max(best, 1) :]


def _design(columns: Sequence[DesignColumn], codes: NDArray[np.uint8]) -> Floats:
    design = np.empty((len(codes), len(columns)), order="F")
    for c, column in enumerate(columns):
        design[:, c] = column.by_code[codes[:, column.feature]]
    return design


def _columns(binner: Binner, codes: NDArray[np.uint8], y: Floats) -> tuple[DesignColumn, ...]:
    columns: list[DesignColumn] = []
    for j, spec in enumerate(binner.specs):
        bins, reference = binner.bins_[j], binner.reference_bins_[j]
        between = between_its_levels(spec, reference)
        main = np.arange(bins + 2, dtype=np.float64)
        if spec.kind == "category":
            main[:bins] = _ranks_by_rate(codes[:, j], y, bins)
        main[bins:] = main[reference]
        if between:
            main[bins] = 0.5
        columns.append(DesignColumn(j, main, spec.sign))
        if not between and binner.counts_[j][bins]:
            columns.append(DesignColumn(j, _indicator(bins, bins), int(spec.floor)))
        if spec.not_applicable and binner.counts_[j][bins + 1]:
            columns.append(DesignColumn(j, _indicator(bins, bins + 1), 0))
    return tuple(columns)


def _indicator(bins: int, code: int) -> Floats:
    column = np.zeros(bins + 2)
    column[code] = 1.0
    return column


def _ranks_by_rate(codes: NDArray[np.uint8], y: Floats, bins: int) -> Floats:
    """Order of a category's levels by smoothed event rate in the bag's own rows (never the left-out ones).

    Numeric codes, because `shap.TreeExplainer` is silently wrong for scikit-learn's `categorical_features`.
    """
    rows = np.bincount(codes, minlength=bins + 2)[:bins]
    events = np.bincount(codes, y, minlength=bins + 2)[:bins]
    rate = (events + SMOOTHED_BY * y.mean()) / (rows + SMOOTHED_BY)
    return np.argsort(np.argsort(rate, kind="stable"), kind="stable").astype(np.float64)
