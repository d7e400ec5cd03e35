"""The opponents, at sensible settings that nobody tuned to any set here: one thread each, a fixed seed.

They get the rows that ours gets. *Not known* stays missing where a library takes missing values; *not applicable* is a
level of its own for categories, a number below all others for trees, and missing for logistic regression.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from benchmarks.learners.learner import Floats, Learner, Margin
from training.fit.binning import Binner
from training.fit.terms import TermSpec
from training.judge.opponents import fit_logistic

EBM, EBM_PAIRS = "EBM, no interactions", "EBM, with interactions"
SEED = 0
TREES = {"n_estimators": 300, "learning_rate": 0.05, "subsample": 0.8, "colsample_bytree": 0.8}
BINS = 10
POINTS = {"pdo": 20, "odds": 50, "scorecard_points": 600}
"""Scale of the scorecard, the usual one: 600 points where the odds are 50 to 1, 20 more double them."""

Outcome = NDArray[np.int8]
Families = NDArray[np.int64]


def _ebm(interactions: int | str) -> Learner:
    """interpret's own defaults (14 bags); ordered kinds as continuous, categories as nominal."""

    def fit(specs: Sequence[TermSpec], X: Floats, y: Outcome, groups: Families) -> Margin:
        from interpret.glassbox import ExplainableBoostingClassifier

        kinds = ["nominal" if spec.kind == "category" else "continuous" for spec in specs]
        model = ExplainableBoostingClassifier(
            interactions=interactions, feature_types=kinds, n_jobs=1, random_state=SEED
        )
        coded = _below_all(X)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of missing values, which it takes
            model.fit(coded(X), y)
        return lambda rows: np.asarray(model.decision_function(coded(rows)))

    return fit


def _xgboost(specs: Sequence[TermSpec], X: Floats, y: Outcome, groups: Families) -> Margin:
    from xgboost import XGBClassifier

    model = XGBClassifier(
        **TREES, max_depth=4, tree_method="hist", enable_categorical=True, n_jobs=1, random_state=SEED
    )
    frame = _frames(specs, X)
    model.fit(frame(X), y)
    return lambda rows: np.asarray(model.predict(frame(rows), output_margin=True), dtype=np.float64)


def _lightgbm(specs: Sequence[TermSpec], X: Floats, y: Outcome, groups: Families) -> Margin:
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(**TREES, subsample_freq=1, num_leaves=15, n_jobs=1, random_state=SEED, verbose=-1)
    frame = _frames(specs, X)
    model.fit(frame(X), y)
    return lambda rows: np.asarray(model.predict_proba(frame(rows), raw_score=True), dtype=np.float64)


def _logistic(specs: Sequence[TermSpec], X: Floats, y: Outcome, groups: Families) -> Margin:
    return fit_logistic(specs, X, y)


def _binned_logistic(specs: Sequence[TermSpec], X: Floats, y: Outcome, groups: Families) -> Margin:
    """Ten bins of equal size a number, every bin, level, *not known* and *not applicable* a column, ridge (C = 1)."""
    binner = Binner(specs, BINS).fit(X)
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(max_iter=2000))
    model.fit(binner.transform(X), y)
    return lambda rows: np.asarray(model.decision_function(binner.transform(rows)))


def _scorecard(specs: Sequence[TermSpec], X: Floats, y: Outcome, groups: Families) -> Margin:
    """optbinning's scorecard: optimal bins, logistic regression on weights of evidence, a whole number of points a bin.

    Log-odds from the points by a logistic regression on the fitted rows.
    """
    from optbinning import BinningProcess, Scorecard

    names = [spec.name for spec in specs]
    categories = [spec.name for spec in specs if spec.kind == "category"]
    card = Scorecard(
        BinningProcess(names, categorical_variables=categories, n_jobs=1),
        LogisticRegression(max_iter=2000),
        scaling_method="pdo_odds",
        scaling_method_params=POINTS,
        rounding=True,
        intercept_based=True,
    )
    frame = _frames(specs, X)
    card.fit(frame(X), y, metric_missing="empirical")

    def points(rows: Floats) -> Floats:
        return np.asarray(card.score(frame(rows)), dtype=np.float64)[:, None]

    scale = LogisticRegression(C=1e6).fit(points(X), y)
    return lambda rows: np.asarray(scale.decision_function(points(rows)))


OPPONENTS: dict[str, Learner] = {
    EBM: _ebm(0),
    EBM_PAIRS: _ebm("3x"),
    "XGBoost": _xgboost,
    "LightGBM": _lightgbm,
    "logistic regression": _logistic,
    "binned logistic regression": _binned_logistic,
    "points scorecard": _scorecard,
}


def _below_all(X: Floats) -> Margin:
    """Not applicable as a number below all that were fitted on, column by column."""
    known = np.where(np.isfinite(X), X, np.inf).min(axis=0)
    below = np.where(np.isfinite(known), known, 0.0) - 1.0
    return lambda rows: np.where(np.isneginf(rows), below, rows)


def _frames(specs: Sequence[TermSpec], X: Floats) -> Callable[[Floats], pd.DataFrame]:
    """Columns as pandas has them: categories of level indices (-1 where not applicable), all others as numbers."""
    coded = _below_all(X)

    def frame(rows: Floats) -> pd.DataFrame:
        plain = coded(rows)
        columns = {
            spec.name: pd.Categorical(np.where(np.isneginf(rows[:, j]), -1.0, rows[:, j]), range(-1, spec.levels))
            if spec.kind == "category"
            else plain[:, j]
            for j, spec in enumerate(specs)
        }
        return pd.DataFrame(columns)

    return frame
