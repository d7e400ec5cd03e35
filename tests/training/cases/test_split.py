"""A family is never on both sides, and both sides hold both outcomes."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.cases.split import TooFewCases, held_out


@given(
    sizes=st.lists(st.integers(1, 6), min_size=5, max_size=60),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 1000),
)
def test_a_family_is_never_on_both_sides(sizes: list[int], share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    y = (rng.random(len(groups)) < share).astype(np.int8)
    families = [len(np.unique(groups[y == outcome])) for outcome in (0, 1)]
    try:
        fit, test = held_out(y, groups, seed)
    except TooFewCases as error:
        assert min(families) < 10, str(error)
        return
    assert not set(groups[fit]) & set(groups[test])
    np.testing.assert_array_equal(np.sort(np.concatenate([fit, test])), np.arange(len(y)))
    np.testing.assert_array_equal(fit, np.sort(fit))
    np.testing.assert_array_equal(test, np.sort(test))
    for side in (fit, test):
        assert set(y[side]) == {0, 1}


def test_about_one_family_in_five_is_held_out_with_its_share_of_events() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(1000), 2)
    y = (rng.random(2000) < 0.1).astype(np.int8)
    fit, test = held_out(y, groups, seed=3)
    assert len(np.unique(groups[test])) == 200
    assert y[test].mean() == pytest.approx(y[fit].mean(), abs=0.01)


def test_the_seed_decides() -> None:
    y = (np.arange(300) % 3 == 0).astype(np.int8)
    groups = np.arange(300)
    np.testing.assert_array_equal(held_out(y, groups, 1)[1], held_out(y, groups, 1)[1])
    assert set(held_out(y, groups, 1)[1]) != set(held_out(y, groups, 2)[1])


@pytest.mark.parametrize(
    ("y", "groups", "said"),
    [
        ([1] * 4 + [0] * 96, range(100), "4 families have the outcome and 96 have a case without it"),
        ([1] * 96 + [0] * 4, range(100), "96 families have the outcome and 4 have a case without it"),
        ([1, 0] * 50, [0] * 100, "1 families have the outcome and 1 have a case without it"),
    ],
)
def test_too_few_to_judge_a_model_is_said_in_one_line(y: list[int], groups: list[int], said: str) -> None:
    with pytest.raises(TooFewCases, match=said) as caught:
        held_out(np.array(y, dtype=np.int8), np.array(groups), 0)
    assert "\n" not in str(caught.value)


def test_half_a_million_families_are_split_in_a_moment() -> None:
    """scikit-learn's StratifiedGroupKFold, once used here, takes more than a minute."""
    rng = np.random.default_rng(1)
    began = time.process_time()
    held_out((rng.random(500_000) < 0.02).astype(np.int8), np.arange(500_000), 0)
    assert time.process_time() - began < 5
