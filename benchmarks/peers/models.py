"""The two models that the peers serve: trees and a logistic regression, fitted on the rows that ours is measured on."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks.explanation import BACKGROUND, SEED, measured_cases
from model.additive import AdditiveModel


def keep_models(model: AdditiveModel, file: Path) -> list[float | None]:
    """Fits both, writes them with their background to `file`; a row as a request holds it, None where not known."""
    cases = measured_cases(model)
    rows = np.where(np.isfinite(cases.X), cases.X, np.nan)
    scaler = StandardScaler().fit(np.nan_to_num(rows))
    known = scaler.transform(np.nan_to_num(rows))
    background = known[np.random.default_rng(SEED).choice(len(known), BACKGROUND, replace=False)]
    row = [None if not np.isfinite(value) else float(value) for value in cases.rows[0]]
    kept = {
        "tree": HistGradientBoostingClassifier(random_state=SEED, early_stopping=False).fit(rows, cases.y),
        "logistic": LogisticRegression(max_iter=2000).fit(known, cases.y),
        "scaler": scaler,
        "background": background,
        "row": row,
    }
    joblib.dump(kept, file)
    return row
