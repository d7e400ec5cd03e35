"""What Grounds is compared with sees the same rows and takes every state of an answer."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.training.conftest import Run
from training.cases.specs import term_specs
from training.judge.opponents import opponents

FIT = 900


@pytest.mark.parametrize("name", ["logistic regression", "unconstrained gradient boosting"])
def test_an_opponent_learns_and_repeats_itself(run: Run, name: str) -> None:
    opponent = opponents(term_specs(run.dictionary), seed=1)[name]
    X, y = run.cases.X, run.cases.y
    margin = opponent(X[:FIT], y[:FIT], X[FIT:])
    assert margin.shape == (len(X) - FIT,)
    assert np.isfinite(margin).all()
    assert roc_auc_score(y[FIT:], margin) > 0.55
    np.testing.assert_array_equal(margin, opponent(X[:FIT], y[:FIT], X[FIT:]))


def test_a_column_that_is_never_known_and_a_level_never_seen_are_no_obstacle(run: Run) -> None:
    X, y = run.cases.X.copy(), run.cases.y
    X[:, 3] = np.nan
    X[:FIT, 5] = np.where(X[:FIT, 5] == 1, 0, X[:FIT, 5])
    X[:FIT, 4] = np.where(np.isneginf(X[:FIT, 4]), np.nan, X[:FIT, 4])
    for opponent in opponents(term_specs(run.dictionary), seed=1).values():
        assert np.isfinite(opponent(X[:FIT], y[:FIT], X[FIT:])).all()
