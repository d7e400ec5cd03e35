"""The floor of *not known* can be lifted to measure what it costs, and what breaks it can never be served."""

from dataclasses import replace

import numpy as np
import pytest

from training.fit.boosted_bags import BoostedBags
from training.fit.compile import BrokenPromise, keep_promises, violations
from training.fit.table_regression import TableRegression
from training.fit.terms import TermSpec

FLOORED = (TermSpec("history", "yes_no", "raises", levels=2), TermSpec("visits", "count", reference=5.0))
LIFTED = tuple(replace(spec, floor=False) for spec in FLOORED)


@pytest.fixture
def unknown_is_harmless():
    """Not known goes with a lower rate than every known answer."""
    rng = np.random.default_rng(5)
    X = np.column_stack([rng.integers(0, 2, 4_000), rng.integers(0, 10, 4_000)]).astype(float)
    X[rng.random(X.shape) < 0.3] = np.nan
    margin = np.where(np.isnan(X), -1.0, 0.0).sum(axis=1)
    return X, (rng.random(len(X)) < 1 / (1 + np.exp(-margin))).astype(int)


@pytest.mark.parametrize("learner", [TableRegression, BoostedBags])
def test_the_floor_holds_and_lifted_it_does_not(learner, unknown_is_harmless):
    X, y = unknown_is_harmless
    assert not violations(keep_promises(learner(FLOORED).fit(X, y).table_))
    lifted = learner(LIFTED).fit(X, y).table_
    assert {violation.feature for violation in violations(lifted)} == {"history", "visits"}
    with pytest.raises(BrokenPromise, match="not_known is broken by"):
        keep_promises(lifted)


@pytest.mark.parametrize("learner", [TableRegression, BoostedBags])
def test_directions_hold_without_the_floor(learner, unknown_is_harmless):
    X, y = unknown_is_harmless
    y = np.where(X[:, 0] == 1, 0, y)  # the data speak against the direction
    history = learner(LIFTED).fit(X, y).table_.terms[0]
    assert history.values[1] >= history.values[0]
