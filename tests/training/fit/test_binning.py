from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.fit.binning import Binner, bin_edges
from training.fit.terms import TermSpec

numbers = st.one_of(
    st.lists(st.integers(0, 12).map(float), min_size=1, max_size=400),
    st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=300),
)


@given(numbers, st.integers(2, 32), st.integers(1, 40))
def test_bins_are_few_full_and_ordered(values, max_bins, smallest):
    column = np.array(values)
    edges = bin_edges(column, max_bins, smallest)
    assert len(edges) < max_bins
    assert np.all(np.diff(edges) > 0)
    rows = np.bincount(np.searchsorted(edges, column, side="right"), minlength=len(edges) + 1)
    assert len(edges) == 0 or rows.min() >= smallest


def test_few_distinct_values_have_a_bin_each_with_edges_halfway():
    column = np.repeat([0.0, 1.0, 2.0, 5.0], [500, 100, 30, 10])
    assert bin_edges(column, 32, 10).tolist() == [0.5, 1.5, 3.5]


def test_many_distinct_values_have_bins_of_about_equal_rows():
    edges = bin_edges(np.random.default_rng(0).normal(size=3200), 32, 10)
    rows = np.bincount(np.searchsorted(edges, np.random.default_rng(0).normal(size=3200), side="right"))
    assert len(rows) == 32
    assert rows.min() >= 95
    assert rows.max() <= 105


def test_an_often_met_value_does_not_swallow_its_neighbours():
    column = np.concatenate([np.zeros(5000), np.linspace(1, 2, 1000)])
    edges = bin_edges(column, 32, 10)
    assert edges[0] == 0.5
    assert len(edges) == 31


def test_neighbouring_floats_stay_in_different_bins():
    low = np.float64(1.0)
    high = np.nextafter(low, 2.0)
    edges = bin_edges(np.repeat([low, high], 20), 32, 10)
    assert np.searchsorted(edges, [low, high], side="right").tolist() == [0, 1]


def test_missing_values_do_not_shape_the_bins():
    column = np.repeat([0.0, 1.0], 50)
    padded = np.concatenate([column, np.full(500, np.nan), np.full(500, -np.inf)])
    assert bin_edges(padded, 32, 10).tolist() == bin_edges(column, 32, 10).tolist()


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (TermSpec("a", "yes_no", "raises", levels=2), 0),
        (TermSpec("a", "yes_no", "lowers", levels=2), 1),
        (TermSpec("a", "yes_no", "free", levels=2), 0),
        (TermSpec("a", "ordinal", "raises", levels=3), 2),
        (TermSpec("a", "ordinal", "raises", 1.0, levels=3), 1),
        (TermSpec("a", "number"), 1),
        (TermSpec("a", "number", reference=0.0), 0),
    ],
)
def test_reference_bin_is_declared_or_the_default_of_its_kind(spec, expected):
    level = 1.0 if spec.kind == "yes_no" else 2.0
    column = np.repeat([0.0, level], [20, 60])
    assert Binner([spec]).fit(column[:, None]).reference_bins_ == (expected,)


def test_codes_are_one_byte_and_counts_add_up(cases):
    drawn = cases(1000)
    binner = Binner(drawn.specs).fit(drawn.X)
    codes = binner.transform(drawn.X)
    assert codes.dtype == np.uint8
    assert [int(c.sum()) for c in binner.counts_] == [1000] * len(drawn.specs)
    assert codes.max() <= 33
    assert np.array_equal(codes[:, 6] == binner.bins_[6] + 1, np.isneginf(drawn.X[:, 6]))


def test_more_than_32_bins_are_refused():
    with pytest.raises(ValueError, match="max_bins"):
        Binner([], max_bins=33)


def test_a_reference_that_is_not_a_known_value_is_refused():
    with pytest.raises(ValueError, match="a: the reference"):
        Binner([TermSpec("a", "number", reference=float("nan"))]).fit(np.zeros((30, 1)))
