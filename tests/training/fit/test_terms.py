from __future__ import annotations

from bisect import bisect_right

import numpy as np
import pytest

from training.fit.terms import FittedTerm, Table, TermSpec, centred, combine

AGE = TermSpec("age", "number", not_applicable=True)
TERM = FittedTerm(AGE, (18.0, 25.0), (0.5, -0.25, 0.125), 0.75, -1.0, 1, (2, 5, 1), 3, 4)
HISTORY = TermSpec("history", "yes_no", "raises", levels=2)
YES_NO = FittedTerm(HISTORY, (), (-0.5, 1.0), 0.0, None, 0, (10, 4), 1, 0)
X = np.array([[17.9, 0.0], [18.0, 1.0], [25.0, np.nan], [np.nan, 1.0], [-np.inf, 0.0]])


def test_a_value_on_an_edge_falls_in_the_bin_above_as_bisect_right_says():
    values = [17.999, 18.0, 24.9, 25.0, 1e9, -5.0]
    assert TERM.codes(values).tolist() == [bisect_right(TERM.edges, v) for v in values]


def test_not_known_and_not_applicable_have_codes_of_their_own():
    assert TERM.codes([np.nan, -np.inf]).tolist() == [3, 4]


@pytest.mark.parametrize(
    ("spec", "value", "message"),
    [
        (HISTORY, -np.inf, "not applicable"),
        (HISTORY, np.inf, "infinity"),
        (HISTORY, 2.0, "from 0 to 1"),
        (HISTORY, 0.5, "whole numbers"),
        (AGE, np.inf, "infinity"),
    ],
)
def test_a_value_off_the_levels_is_refused_by_name(spec, value, message):
    term = TERM if spec is AGE else YES_NO
    with pytest.raises(ValueError, match=f"{spec.name}.*{message}"):
        term.codes([value])


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "text"},
        {"kind": "ordinal", "direction": "up", "levels": 3},
        {"kind": "category", "direction": "raises", "levels": 3},
        {"kind": "category", "levels": 33},
        {"kind": "yes_no", "levels": 3},
    ],
)
def test_an_impossible_spec_is_refused(fault):
    with pytest.raises(ValueError, match=r"^x: "):
        TermSpec("x", **fault)


def test_margin_is_the_intercept_plus_the_values_looked_up():
    table = Table(-2.0, (TERM, YES_NO))
    assert table.margin(X).tolist() == [-2.0, -1.25, -1.875, -0.25, -3.5]


def test_contributions_sum_to_the_margin_less_its_background_mean():
    table = Table(-2.0, (TERM, YES_NO))
    base = table.intercept + table.background_mean().sum()
    assert np.allclose(base + table.contributions(X).sum(axis=1), table.margin(X), atol=1e-15, rtol=0)
    assert np.allclose(table.contributions(X, X).mean(axis=0), 0, atol=1e-15)


def test_background_mean_over_training_counts_weighs_every_code():
    assert TERM.mean() == pytest.approx((2 * 0.5 - 5 * 0.25 + 0.125 + 3 * 0.75 - 4.0) / 15)


def test_centring_moves_means_to_the_intercept_and_changes_no_margin():
    table = Table(-2.0, (TERM, YES_NO))
    moved = centred(table)
    assert np.allclose(moved.background_mean(), 0, atol=1e-15)
    assert np.allclose(moved.margin(X), table.margin(X), atol=1e-15)


def test_combining_averages_margins():
    other = Table(1.0, (TERM, FittedTerm(HISTORY, (), (0.0, 2.0), 0.5, None, 0, (10, 4), 1, 0)))
    table = Table(-2.0, (TERM, YES_NO))
    expected = 0.25 * table.margin(X) + 0.75 * other.margin(X)
    assert np.allclose(combine([table, other], [0.25, 0.75]).margin(X), expected, atol=1e-15)


def test_tables_over_different_bins_are_not_combined():
    shifted = FittedTerm(AGE, (18.0, 26.0), TERM.values, 0.75, -1.0, 1, TERM.counts, 3, 4)
    with pytest.raises(ValueError, match="age: bins differ"):
        combine([Table(0.0, (TERM,)), Table(0.0, (shifted,))], [0.5, 0.5])


def test_rows_of_another_width_are_refused():
    with pytest.raises(ValueError, match="expected"):
        Table(0.0, (TERM,)).margin(X)
