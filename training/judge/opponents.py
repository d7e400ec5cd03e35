"""What a user would otherwise fit, on the same rows: the measure of what the guarantees cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from training.fit.terms import TermSpec

Floats = NDArray[np.float64]
Opponent = Callable[[Floats, NDArray[np.int8], Floats], Floats]

NOT_APPLICABLE_CODE = -1.0


def opponents(specs: Sequence[TermSpec], seed: int, with_ebm: bool = False) -> dict[str, Opponent]:
    """Name to function (fit X, fit y, test X) -> log-odds of the test rows, (rows,)."""
    chosen: dict[str, Opponent] = {
        "logistic regression": lambda X, y, T: fit_logistic(specs, X, y)(T),
        "unconstrained gradient boosting": lambda X, y, T: _boosting(X, y, T, seed),
    }
    if with_ebm:
        chosen["EBM without interactions"] = lambda X, y, T: _ebm(specs, X, y, T, seed)
    return chosen


def fit_logistic(specs: Sequence[TermSpec], X: Floats, y: NDArray[np.int8]) -> Callable[[Floats], Floats]:
    """Plain logistic regression: numbers standardised with a missing indicator, levels one-hot with missing a level.

    Gives back the log-odds of encoded rows, (rows,).
    """
    numbers = [j for j, spec in enumerate(specs) if spec.numeric]
    levels = [j for j, spec in enumerate(specs) if not spec.numeric]
    scaled = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True), StandardScaler()
    )
    encoder = ColumnTransformer(
        [("numbers", scaled, numbers), ("levels", OneHotEncoder(handle_unknown="ignore"), levels)]
    )
    fitted = make_pipeline(encoder, LogisticRegression(max_iter=2000)).fit(_plain(X, numbers), y)
    return lambda rows: np.asarray(fitted.decision_function(_plain(rows, numbers)))


def _plain(X: Floats, numbers: Sequence[int]) -> Floats:
    """Not applicable as missing for numbers and as a level of its own for levels."""
    plain = X.copy()
    for j in range(X.shape[1]):
        plain[np.isneginf(X[:, j]), j] = np.nan if j in numbers else NOT_APPLICABLE_CODE
    return plain


def _boosting(X: Floats, y: NDArray[np.int8], T: Floats, seed: int) -> Floats:
    never_known = np.isnan(X).all(axis=0)  # scikit-learn cannot bin such a column

    def coded(rows: Floats) -> Floats:
        return np.where(never_known, 0.0, np.where(np.isneginf(rows), NOT_APPLICABLE_CODE, rows))

    fitted = HistGradientBoostingClassifier(random_state=seed).fit(coded(X), y)
    return np.asarray(fitted.decision_function(coded(T)))


def _ebm(specs: Sequence[TermSpec], X: Floats, y: NDArray[np.int8], T: Floats, seed: int) -> Floats:
    try:
        from interpret.glassbox import ExplainableBoostingClassifier
    except ImportError:
        raise SystemExit("error: EBM is a benchmark extra; run it with make train EBM=1, which installs it") from None
    kinds = ["continuous" if spec.numeric else "nominal" for spec in specs]

    def coded(rows: Floats) -> Floats:
        return np.where(np.isneginf(rows), NOT_APPLICABLE_CODE, rows)

    fitted = ExplainableBoostingClassifier(interactions=0, feature_types=kinds, random_state=seed, n_jobs=2).fit(
        coded(X), y
    )
    return np.asarray(fitted.decision_function(coded(T)))
