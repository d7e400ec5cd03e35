"""Both learners averaged in log-odds, with weights from out-of-fold log loss, and the pairs of features that pay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import LinearConstraint, minimize
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from model.pairs.table import MOST_PAIRS
from training.fit.additive import AdditiveClassifier, Progress
from training.fit.boosted_bags import BoostedBags
from training.fit.folds import grouped_folds
from training.fit.objective import log_loss_and_chance
from training.fit.pair_choice import Fold, choose_pairs
from training.fit.pair_fit import FittedPairs, Pair, codes_by, fit_pairs, margin_by
from training.fit.table_regression import TableRegression
from training.fit.terms import MAX_BINS, Floats, Table, TermSpec, combine, purified

PRIOR_SPREAD = 0.3  # of a weight about the equal one: learners that cannot be told apart count alike


class AdditiveEnsemble(AdditiveClassifier):
    """Table regression and boosted bags, averaged in log-odds; one table again, and at most `most_pairs` pairs.

    Weights are non-negative, sum to one and minimise the out-of-fold log loss over grouped folds, drawn towards
    equal. Binning, penalties, category orders and stopping happen inside each fold. With too few families for
    two folds the weights are equal and `oof_margin_` is NaN. `weights` (by learner's name) fixes them beforehand, for
    a refit on more rows of a model already judged: nothing is then fitted out of fold and `oof_margin_` is NaN. So do
    `pairs` (positions of two features each); None lets the same folds choose them (`pair_choice`), 0 `most_pairs` none.

    After `fit`: `table_`, `classes_`, `learners_` (by name), `weights_` (by name), `oof_margin_` (rows,),
    `oof_by_learner_` (rows, learners), `pairs_` (what was kept), `grids_` (their grids as fitted, with the penalties).
    The result depends on `seed` and not on `n_jobs`.
    """

    def __init__(
        self,
        specs: Sequence[TermSpec] | None = None,
        bags: int = 8,
        bags_in_folds: int = 1,
        folds: int = 5,
        max_bins: int = MAX_BINS,
        seed: int = 0,
        n_jobs: int | None = None,
        weights: Mapping[str, float] | None = None,
        most_pairs: int = MOST_PAIRS,
        pairs: Sequence[Pair] | None = None,
    ) -> None:
        self.weights = weights
        self.most_pairs = most_pairs
        self.pairs = pairs
        self.specs = specs
        self.bags = bags
        self.bags_in_folds = bags_in_folds
        self.folds = folds
        self.max_bins = max_bins
        self.seed = seed
        self.n_jobs = n_jobs

    def _fit(
        self, specs: Sequence[TermSpec], X: Floats, y: Floats, groups: NDArray[np.intp], progress: Progress
    ) -> None:
        boosted = BoostedBags(specs, bags=self.bags_in_folds, max_bins=self.max_bins, seed=self.seed)
        in_folds = {"boosted_bags": boosted, "table_regression": TableRegression(specs, self.max_bins)}
        folds = grouped_folds(y, groups, self.folds, self.seed) if self.weights is None else []
        self.oof_by_learner_, tables = self._out_of_fold(in_folds, X, y, groups, folds, progress)
        weights = stacking_weights(self.oof_by_learner_, y) if self.weights is None else _given(self.weights, in_folds)
        self.weights_ = {name: float(w) for name, w in zip(in_folds, weights, strict=True)}
        self.oof_margin_ = weighted_sum(self.oof_by_learner_, weights)
        self.pairs_ = tuple(self.pairs or ())
        if self.pairs is None:
            judged = [Fold(combine(parts, list(weights)), fold) for parts, fold in zip(tables, folds, strict=True)]
            chosen = choose_pairs(judged, X, y, groups, self.most_pairs, self.n_jobs, progress)
            self.pairs_ = chosen.pairs
            self.oof_margin_ = self.oof_margin_ + chosen.margin
        boosted = clone(boosted).set_params(bags=self.bags, n_jobs=self.n_jobs)
        self.learners_ = {**in_folds, "boosted_bags": boosted}
        for learner in self.learners_.values():
            learner.fit(X, y, groups, progress)
        additive = combine([learner.table_ for learner in self.learners_.values()], list(weights))
        self.grids_ = self._grids(additive, X, y)
        self.table_ = purified(replace(additive, pairs=self.grids_.pairs)) if self.pairs_ else additive

    def _grids(self, additive: Table, X: Floats, y: Floats) -> FittedPairs:
        if not self.pairs_:
            return FittedPairs((), ())
        codes = codes_by(additive, X)
        with threadpool_limits(1, user_api="blas"):
            return fit_pairs(additive, codes, margin_by(additive, codes), y, self.pairs_)

    def _out_of_fold(
        self,
        learners: dict[str, AdditiveClassifier],
        X: Floats,
        y: Floats,
        groups: NDArray[np.intp],
        folds: Sequence[NDArray[np.intp]],
        progress: Progress,
    ) -> tuple[Floats, list[list[Table]]]:
        """Margins of each learner on rows it was not fitted on, shape (rows, learners); and by fold their tables."""
        tasks = [(column, learner, fold) for column, learner in enumerate(learners.values()) for fold in folds]
        margins = np.full((len(y), len(learners)), np.nan)
        tables: list[list[Table]] = [[] for _ in folds]
        results = Parallel(n_jobs=self.n_jobs, return_as="generator")(
            delayed(_held_out_margin)(learner, X, y, groups, fold) for _, learner, fold in tasks
        )
        for number, ((margin, table), (column, _, fold)) in enumerate(zip(results, tasks, strict=True), 1):
            margins[fold, column] = margin
            tables[(number - 1) % len(folds)].append(table)
            progress("out of fold", number / len(tasks))
        return margins, tables

    def estimator_margin(self, X: ArrayLike) -> Floats:
        """Log-odds from the fitted estimators themselves, never from the table: for an independent judge."""
        X = self._rows(X)
        regression, bags = self.learners_["table_regression"], self.learners_["boosted_bags"].bags_
        linear = regression.intercept_[0] + regression.linear_design(X) @ regression.coef_[0]
        margin = self.weights_["table_regression"] * linear
        codes = bags[0].binner.transform(X)
        if weight := self.weights_["boosted_bags"]:  # often none; asking hundreds of trees for nothing takes long
            trees = [bag.estimator.decision_function(bag.design_of_codes(codes)) for bag in bags]
            margin = margin + weight * np.mean(trees, axis=0)
        for grid in self.grids_.pairs:
            margin = margin + grid.of_codes(codes[:, grid.first], codes[:, grid.second])
        return np.asarray(margin)


def stacking_weights(margins: Floats, y: Floats) -> Floats:
    """Weights >= 0 that sum to 1, from held-out margins (rows, learners); equal where margins are NaN.

    The posterior mode under a normal prior about equal weights: a difference of a few units of total log loss
    moves them, noise does not.
    """
    learners = margins.shape[1]
    equal = np.full(learners, 1.0 / learners)
    if learners == 1 or np.isnan(margins).any():
        return equal

    def objective(weights: Floats) -> tuple[float, Floats]:
        log_loss, chance = log_loss_and_chance(weighted_sum(margins, weights), y)
        pull = (weights - equal) / PRIOR_SPREAD**2
        gradient = np.add.reduce((chance - y)[:, None] * margins, axis=0) + pull
        return float(np.add.reduce(log_loss) + 0.5 * np.add.reduce(pull * (weights - equal))), gradient

    with threadpool_limits(1, user_api="blas"):
        found = minimize(
            objective,
            equal,
            jac=True,
            method="SLSQP",
            bounds=[(0.0, 1.0)] * learners,
            constraints=LinearConstraint(np.ones((1, learners)), 1.0, 1.0),
        )
    weights = np.clip(found.x, 0.0, 1.0)
    return np.asarray(weights / weights.sum())


def _given(weights: Mapping[str, float], learners: Mapping[str, AdditiveClassifier]) -> Floats:
    """Weights fixed beforehand, in the learners' order. Raises ValueError unless they are a mixture of all of them."""
    if set(weights) != set(learners) or min(weights.values()) < 0 or abs(sum(weights.values()) - 1.0) > 1e-9:
        raise ValueError(f"weights must be >= 0, sum to 1 and name {sorted(learners)}; got {dict(weights)}")
    return np.array([weights[name] for name in learners])


def weighted_sum(margins: Floats, weights: Floats) -> Floats:
    """Weighted margins, learner by learner in order, so that no thread count can change the floats."""
    total = np.zeros(len(margins))
    for column, weight in enumerate(weights):
        total += weight * margins[:, column]
    return total


def _held_out_margin(
    learner: AdditiveClassifier, X: Floats, y: Floats, groups: NDArray[np.intp], fold: NDArray[np.intp]
) -> tuple[Floats, Table]:
    fitted = np.ones(len(y), dtype=bool)
    fitted[fold] = False
    model = clone(learner).fit(X[fitted], y[fitted], groups[fitted])
    return np.asarray(model.decision_function(X[fold])), model.table_
