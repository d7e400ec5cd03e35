"""The independent judge: the `shap` library on the fitted estimators, against the contributions of our table.

Three judgements, all on the same background:
- the whole: Permutation explainer on the estimators' own decision function. Exact for additive models and for pairs of
  features with one antithetic pair of permutations, and it knows nothing of our table;
- the boosted parts: Tree explainer (interventional) on each bag's trees;
- the linear part: Linear explainer on table regression's design matrix.
TreeExplainer computes in 32-bit floats inside, so its part agrees to about 1e-8 and not to 1e-15.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shap
from joblib import Parallel, delayed
from numpy.typing import NDArray

from training.fit.boosted_bags import Bag
from training.fit.ensemble import AdditiveEnsemble
from training.fit.table_regression import TableRegression
from training.fit.terms import Table

Floats = NDArray[np.float64]
Decision = Callable[[Floats], Floats]

CASES = 1000
PARTS = 8  # of the cases, judged side by side
BACKGROUND = 4
"""Rows of background. Our Shapley values are exact against any background, at less cost if small."""


@dataclass(frozen=True, slots=True)
class ShapCheck:
    """What the judge found: largest differences in log-odds, over all features of all judged cases."""

    cases: int
    background: int
    by_part: dict[str, float]

    @property
    def largest_difference(self) -> float:
        """The worst of all parts."""
        return max(self.by_part.values())

    def facts(self) -> dict[str, Any]:
        """For `model.json`."""
        return {
            "cases": self.cases,
            "background": self.background,
            "by_part": self.by_part,
            "largest_difference": self.largest_difference,
        }


def check_against_shap(
    ensemble: AdditiveEnsemble,
    table: Table,
    decision: Decision,
    X: Floats,
    background: Floats,
    seed: int,
    jobs: int = 2,
) -> ShapCheck:
    """Judges the released table and every part of the ensemble on `CASES` rows of X (or all, if fewer).

    `decision` gives log-odds by the fitted estimators themselves. The judge's background is drawn from `background`,
    and ours is recentred on the same rows.
    """
    rng = np.random.default_rng(seed)
    rows = X[rng.permutation(len(X))[:CASES]]
    behind = background[rng.permutation(len(background))[:BACKGROUND]]
    regression, boosted = ensemble.learners_["table_regression"], ensemble.learners_["boosted_bags"]
    return ShapCheck(
        cases=len(rows),
        background=len(behind),
        by_part={
            "whole by Permutation": max(
                Parallel(n_jobs=jobs)(
                    delayed(permutation_difference)(table, decision, rows[part::PARTS], behind) for part in range(PARTS)
                )
            ),
            "trees by Tree": max(tree_difference(bag, rows, behind) for bag in boosted.bags_),
            "table regression by Linear": linear_difference(regression, rows, behind),
        },
    )


def permutation_difference(table: Table, decision: Decision, X: Floats, background: Floats) -> float:
    """Largest difference, log-odds, between the table's contributions and Permutation shap on `decision`, over X."""
    return float(np.abs(permutation_values(decision, X, background) - _ours(table, X, background)).max())


def permutation_values(decision: Decision, X: Floats, background: Floats) -> Floats:
    """Permutation shap of `decision` for each row of X against the background, (rows, features), log-odds."""
    masker = shap.maskers.Independent(background, max_samples=len(background))
    judge = shap.PermutationExplainer(decision, masker, seed=0)
    most = 2 * X.shape[1] + 1
    # Row by row: from the second row of a call on, shap 0.51 works out main effects too, which nobody asked for, and
    # takes as long again. The numbers are the same to the bit.
    return np.concatenate([np.asarray(judge(row[None], max_evals=most, silent=True).values) for row in X])


def tree_difference(bag: Bag, X: Floats, background: Floats) -> float:
    """The same for one bag's trees, by the Tree explainer on the bag's design."""
    explainer = shap.TreeExplainer(bag.estimator, bag.design(background), feature_perturbation="interventional")
    judged = np.asarray(explainer.shap_values(bag.design(X), check_additivity=False))
    summed = _by_feature(judged, bag.design_columns, X.shape[1])
    return float(np.abs(summed - _ours(bag.table(), X, background)).max())


def linear_difference(regression: TableRegression, X: Floats, background: Floats) -> float:
    """The same for table regression, by the Linear explainer on its indicator columns."""
    behind = regression.linear_design(background)
    masker = shap.maskers.Independent(behind, max_samples=len(behind))
    explainer = shap.LinearExplainer((regression.coef_[0], regression.intercept_[0]), masker)
    judged = np.asarray(explainer.shap_values(regression.linear_design(X)))
    summed = _by_feature(judged, regression.design_columns_, X.shape[1])
    return float(np.abs(summed - _ours(regression.table_, X, background)).max())


def _ours(table: Table, X: Floats, background: Floats) -> Floats:
    return table.contributions(X, background)


def _by_feature(judged: Floats, feature_of: NDArray[np.intp], features: int) -> Floats:
    summed = np.zeros((len(judged), features))
    for column, feature in enumerate(feature_of):
        summed[:, feature] += judged[:, column]
    return summed
