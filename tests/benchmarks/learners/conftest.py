"""A set small enough to be fitted in a second, whose margin is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.learners.sets import DataSet
from training.fit.terms import TermSpec

SPECS = (
    TermSpec("history", "yes_no", "raises", levels=2),
    TermSpec("visits", "count", "lowers", reference=9.0),
    TermSpec("source", "category", levels=4),
    TermSpec("gap", "number", not_applicable=True),
)


@pytest.fixture(scope="session")
def small() -> DataSet:
    rng = np.random.default_rng(3)
    rows = 900
    history, visits, source = rng.random(rows) < 0.4, rng.poisson(6, rows), rng.integers(0, 4, rows)
    gap = np.round(rng.gamma(2.0, 10.0, rows))
    X = np.column_stack([history, visits, source, gap]).astype(float)
    margin = -0.5 + 1.2 * history - 0.2 * (visits - 6) + np.array([-0.6, 0.0, 0.6, 0.9])[source]
    X[rng.random(X.shape) < 0.1] = np.nan
    X[rng.random(rows) < 0.2, 3] = -np.inf
    y = (rng.random(rows) < 1 / (1 + np.exp(-margin))).astype(np.int8)
    return DataSet("small", SPECS, X, y, np.arange(rows) // 3)
