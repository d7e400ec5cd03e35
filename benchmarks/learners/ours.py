"""Our own learners: what `make train` judges, what its promise about *not known* costs, what its pairs of
features bring, and its two parts alone.

The seam for a variant: a name here, and a function that fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.learners.learner import Floats, Learner, Margin
from training.fit.additive import AdditiveClassifier
from training.fit.boosted_bags import BoostedBags
from training.fit.calibrate import recalibrated, recalibration
from training.fit.compile import compile_table
from training.fit.ensemble import AdditiveEnsemble
from training.fit.table_regression import TableRegression
from training.fit.terms import TermSpec

OURS, WITHOUT_FLOOR = "Grounds", "Grounds, no floor for not known"
WITHOUT_PAIRS = "Grounds, without pairs"


def _grounds(specs: Sequence[TermSpec], X: Floats, y: NDArray[np.int8], groups: NDArray[np.int64]) -> Margin:
    """As `training.pipeline` makes the judged table: ensemble, recalibration, compilation with the promises checked."""
    ensemble = AdditiveEnsemble(specs, n_jobs=1).fit(X, y, groups)
    calibration = recalibration(ensemble.oof_margin_, y.astype(np.float64), groups)
    return compile_table(ensemble, calibration).margin


def _without_pairs(specs: Sequence[TermSpec], X: Floats, y: NDArray[np.int8], groups: NDArray[np.int64]) -> Margin:
    """The same with no pair of features, whatever the folds say."""
    ensemble = AdditiveEnsemble(specs, n_jobs=1, most_pairs=0).fit(X, y, groups)
    return compile_table(ensemble, recalibration(ensemble.oof_margin_, y.astype(np.float64), groups)).margin


def _without_floor(specs: Sequence[TermSpec], X: Floats, y: NDArray[np.int8], groups: NDArray[np.int64]) -> Margin:
    """The same without the bound on *not known*; monotone in the declared directions all the same."""
    free = [replace(spec, floor=False) for spec in specs]
    ensemble = AdditiveEnsemble(free, n_jobs=1).fit(X, y, groups)
    calibration = recalibration(ensemble.oof_margin_, y.astype(np.float64), groups)
    return recalibrated(ensemble.table_, calibration).margin


def _part(kind: type[AdditiveClassifier]) -> Learner:
    def fit(specs: Sequence[TermSpec], X: Floats, y: NDArray[np.int8], groups: NDArray[np.int64]) -> Margin:
        fitted: AdditiveClassifier = kind(specs).fit(X, y, groups)  # type: ignore[call-arg]
        return fitted.decision_function

    return fit


OUR_LEARNERS: dict[str, Learner] = {OURS: _grounds, WITHOUT_FLOOR: _without_floor}
PARTS: dict[str, Learner] = {
    WITHOUT_PAIRS: _without_pairs,
    "table regression": _part(TableRegression),
    "boosted bags": _part(BoostedBags),
}
