"""Identical splits for every learner; families whole; the oracle beside what it may see."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.learners.sets import at_most
from benchmarks.learners.splits import TEST_SHARE, of_cohort, of_set


def test_a_family_is_never_on_both_sides_and_no_row_is_lost(small):
    split = of_set(small).split(0)
    held_out = 1 - len(np.unique(split.groups)) / len(np.unique(small.groups))
    assert held_out == pytest.approx(TEST_SHARE, abs=0.02)
    assert len(split.y) + len(split.outcome) == len(small.y)
    fitted = {tuple(row) for row in np.nan_to_num(split.X, nan=-1.0, neginf=-2.0)}
    families_of_fitted = np.unique(split.groups)
    for family in families_of_fitted[:20]:
        rows = np.nan_to_num(small.X[small.groups == family], nan=-1.0, neginf=-2.0)
        assert {tuple(row) for row in rows} <= fitted


def test_the_same_repeat_is_the_same_task_and_another_is_not(small):
    cut = of_set(small)
    assert cut.split(1).digest() == cut.split(1).digest()
    assert cut.split(0).digest() != cut.split(1).digest()


def test_fewer_rows_are_whole_families(small):
    fewer = at_most(small, 200)
    assert 190 < len(fewer.y) <= 200
    for family in np.unique(fewer.groups):
        assert np.sum(fewer.groups == family) == np.sum(small.groups == family)


def test_a_repeat_of_the_cohort_judges_on_fresh_families_and_the_oracle_is_good():
    split = of_cohort(rows=4_000).split(0)
    assert 3_000 < len(split.y) < 5_000
    assert split.oracle is not None
    assert len(split.oracle) == len(split.outcome) > 1.8 * len(split.y)
    assert roc_auc_score(split.outcome, split.oracle) > 0.75
    seen = {row.tobytes() for row in split.X}
    assert sum(row.tobytes() in seen for row in split.T) < 0.01 * len(split.T)
