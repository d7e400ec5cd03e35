"""The independent judge passes a right table and finds a wrong one, by the real shap library."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from tests.training.conftest import Run
from training.fit.calibrate import Recalibration
from training.fit.terms import Table, with_values
from training.judge.shap_check import (
    ShapCheck,
    check_against_shap,
    linear_difference,
    permutation_difference,
    tree_difference,
)
from training.pipeline import estimators_margin
from training.release.gates import SHAP_TOLERANCE

ROWS = 60
NOT_APPLIED = Recalibration(1.0, 0.0, 0.0, 0.0, applied=False)


def tampered(table: Table, feature: int, code: int, by: float) -> Table:
    """The table with one value of one term changed."""
    terms = list(table.terms)
    values = terms[feature].by_code()
    values[code] += by
    terms[feature] = with_values(terms[feature], values)
    return Table(table.intercept, tuple(terms))


def judged(run: Run, table: Table) -> float:
    """What the judge says of a table for the run's estimators, on a few rows and four rows of background."""
    decision = partial(estimators_margin, run.trained.estimators, NOT_APPLIED)
    return permutation_difference(table, decision, run.cases.X[:ROWS], run.cases.X[-4:])


def test_the_right_table_passes(run: Run) -> None:
    assert judged(run, run.trained.estimators.table_) < 1e-9


@pytest.mark.parametrize("code", [0, 1, 2])
def test_one_wrong_value_of_a_bin_or_of_not_known_is_found(run: Run, code: int) -> None:
    wrong = tampered(run.trained.estimators.table_, 0, code, 1e-3)
    assert (wrong.terms[0].codes(run.cases.X[:ROWS, 0]) == code).any()
    assert judged(run, wrong) > 1e-4


def test_a_wrong_value_of_not_applicable_is_found(run: Run) -> None:
    table = run.trained.estimators.table_
    code = len(table.terms[4].values) + 1
    assert judged(run, tampered(table, 4, code, 1e-3)) > 1e-4


def test_a_contribution_given_to_another_feature_is_found_though_the_score_is_the_same(run: Run) -> None:
    """Two terms swap an amount that cancels out in every row: only a judge of contributions can see it."""
    table = run.trained.estimators.table_
    X = run.cases.X[:ROWS].copy()
    X[:, 1] = X[:, 0] = run.cases.X[:ROWS, 0] == 1
    swapped = tampered(tampered(table, 0, 1, 0.1), 1, 1, -0.1)
    np.testing.assert_allclose(swapped.margin(X), table.margin(X), atol=1e-12)
    decision = partial(estimators_margin, run.trained.estimators, NOT_APPLIED)
    assert permutation_difference(swapped, decision, X, X[:4]) > 1e-3


def test_each_part_is_judged_and_a_tampered_part_is_found(run: Run) -> None:
    X, behind = run.cases.X[:ROWS], run.cases.X[-4:]
    boosted, regression = (run.trained.estimators.learners_[name] for name in ("boosted_bags", "table_regression"))
    assert tree_difference(boosted.bags_[0], X, behind) < SHAP_TOLERANCE
    assert linear_difference(regression, X, behind) < 1e-9
    right = regression.table_
    regression.table_ = tampered(right, 0, 1, 1e-3)
    try:
        assert linear_difference(regression, X, behind) > 1e-4
    finally:
        regression.table_ = right
    other = boosted.bags_[1]
    assert np.abs(other.table().values(X) - boosted.bags_[0].table().values(X)).max() > 1e-4  # bags do differ


def test_the_worst_part_decides(run: Run) -> None:
    check = ShapCheck(cases=3, background=4, by_part={"whole": 1e-15, "trees": 1e-3, "linear": 1e-16})
    assert check.largest_difference == check.facts()["largest_difference"] == 1e-3
    wrong = tampered(run.trained.estimators.table_, 2, 0, 0.01)
    decision = partial(estimators_margin, run.trained.estimators, NOT_APPLIED)
    found = check_against_shap(
        run.trained.estimators, wrong, decision, run.cases.X[:ROWS], run.cases.X[-40:], seed=1, jobs=1
    )
    assert (found.cases, found.background) == (ROWS, 4)
    assert found.by_part["trees by Tree"] < SHAP_TOLERANCE
    assert found.by_part["table regression by Linear"] < SHAP_TOLERANCE
    assert found.largest_difference == found.by_part["whole by Permutation"] > SHAP_TOLERANCE
