"""The packed spread is the standard deviation over the refits."""

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.refits import LARGEST_DEVIATION, MOST_TERMS, Refits

deviations = st.floats(-10, 10) | st.sampled_from([0.0, LARGEST_DEVIATION, -LARGEST_DEVIATION])


@given(st.data(), st.integers(2, 24), st.integers(1, 8))
def test_the_spread_is_the_standard_deviation_of_the_sums(data, refits, terms):
    slot = st.lists(deviations, min_size=refits, max_size=refits)
    tables = data.draw(st.lists(st.just([]) | st.lists(slot, min_size=1, max_size=4), min_size=terms, max_size=terms))
    slots = [data.draw(st.integers(0, len(table) - 1)) if table else 0 for table in tables]
    chosen = [table[slot] for table, slot in zip(tables, slots, strict=True) if table]
    expected = statistics.stdev([sum(column) for column in zip(*chosen, strict=True)]) if chosen else 0.0
    assert Refits(tables).spread(slots) == pytest.approx(expected, rel=1e-9, abs=1e-10)


def test_one_refit_does_not_spread():
    assert Refits([[[0.5], [0.7]]]).spread([1]) == 0.0


@pytest.mark.parametrize(
    "tables",
    [[[[0.1, 0.2]], [[0.1]]], [[[2 * LARGEST_DEVIATION]]], [[[float("nan")]]], [[[0.1]]] * (MOST_TERMS + 1)],
)
def test_what_cannot_be_packed_is_refused(tables):
    with pytest.raises(ValueError, match=r"deviation"):
        Refits(tables)
