"""Intervals of differences: the formulas by hand, and that they cover where repeats share rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from benchmarks.learners.comparison import in_a_set, over_sets

DIFFERENCES = st.lists(st.floats(-1, 1), min_size=2, max_size=8)


def test_one_set_by_hand():
    found = in_a_set([0.1, 0.2, 0.3], test_to_fit=0.5)
    half = t.ppf(0.975, 2) * (0.01 * (1 / 3 + 0.5)) ** 0.5
    assert found.mean == pytest.approx(0.2)
    assert (found.low, found.high) == (pytest.approx(0.2 - half), pytest.approx(0.2 + half))


def test_sharing_rows_widens_the_interval():
    apart, shared = (in_a_set([0.1, 0.2, 0.3], ratio) for ratio in (0.0, 3 / 7))
    assert shared.high - shared.low > apart.high - apart.low


def test_one_repeat_has_no_interval():
    found = over_sets([([0.1], 0.4), ([0.1, 0.2], 0.4)])
    assert found.mean == pytest.approx(0.125)
    assert np.isinf(found.low)
    assert np.isinf(found.high)


@given(st.lists(st.tuples(DIFFERENCES, st.floats(0, 1)), min_size=1, max_size=4))
def test_the_interval_holds_the_mean_of_the_sets_and_turns_with_the_sign(sets):
    found = over_sets(sets)
    turned = over_sets([([-each for each in repeats], ratio) for repeats, ratio in sets])
    assert found.low <= found.mean <= found.high
    assert found.mean == pytest.approx(np.mean([np.mean(repeats) for repeats, _ in sets]))
    assert (turned.low, turned.high) == (pytest.approx(-found.high), pytest.approx(-found.low))


def test_it_covers_where_repeats_are_independent():
    rng = np.random.default_rng(0)
    held = [
        (found := over_sets([(rng.normal(0.3, 1, 5), 0.0), (rng.normal(0.3, 2, 5), 0.0)])).low <= 0.3 <= found.high
        for _ in range(1_000)
    ]
    assert 0.93 < np.mean(held) < 0.985
