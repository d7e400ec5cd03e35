from __future__ import annotations

import numpy as np
import pytest

from training.fit.refits import refit_by_family
from training.fit.table_regression import TableRegression


@pytest.fixture(scope="module")
def fitted(cases):
    drawn = cases(1500)
    return drawn, TableRegression(drawn.specs).fit(drawn.X, drawn.y, drawn.groups)


@pytest.fixture(scope="module")
def refits(fitted):
    drawn, model = fitted
    return refit_by_family(model, drawn.X, drawn.y, drawn.groups, refits=12, seed=3)


def test_deviations_come_by_refit_and_code_and_average_to_nothing(fitted, refits):
    _, model = fitted
    assert refits.intercept.shape == (12,)
    for term, deviations in zip(model.table_.terms, refits.terms, strict=True):
        assert deviations.shape == (12, len(term.values) + 2)
        assert np.allclose(deviations.mean(axis=0), 0, atol=1e-12)
    assert len({float(d) for d in refits.intercept}) == 12


def test_margin_deviations_add_up_the_table(fitted, refits):
    drawn, model = fitted
    deviations = refits.margin_deviations(model.table_, drawn.X[:5])
    codes = [term.codes(drawn.X[:5, j]) for j, term in enumerate(model.table_.terms)]
    by_hand = refits.intercept[4] + sum(refits.terms[j][4, codes[j][2]] for j in range(len(codes)))
    assert deviations[2, 4] == pytest.approx(by_hand)


def test_more_rows_give_a_narrower_range(fitted, refits, cases):
    drawn, model = fitted
    many = cases(12_000)
    wide = TableRegression(many.specs).fit(many.X, many.y, many.groups)
    narrow = refit_by_family(wide, many.X, many.y, many.groups, refits=12, seed=3)
    small = refits.half_width(refits.margin_deviations(model.table_, drawn.X)).mean()
    large = narrow.half_width(narrow.margin_deviations(wide.table_, drawn.X)).mean()
    assert large < 0.6 * small


def test_refits_do_not_depend_on_the_number_of_jobs(fitted, refits):
    drawn, model = fitted
    again = refit_by_family(model, drawn.X, drawn.y, drawn.groups, refits=12, seed=3, n_jobs=2)
    assert np.array_equal(again.intercept, refits.intercept)
    assert all(np.array_equal(a, b) for a, b in zip(again.terms, refits.terms, strict=True))


def test_progress_is_told(fitted):
    drawn, model = fitted
    told = []
    refit_by_family(model, drawn.X, drawn.y, refits=2, progress=lambda stage, fraction: told.append((stage, fraction)))
    assert told == [("refits", 0.5), ("refits", 1.0)]
