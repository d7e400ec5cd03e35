"""Draws are of whole families, the first of them is the data itself, and figures are written short."""

from __future__ import annotations

import numpy as np
import pytest

from training.judge import resample
from training.judge.resample import Draws, figure, ratio, rounded, summary

GROUPS = np.array([7, 7, 3, 3, 3, 9])


def test_the_first_draw_is_the_data_and_a_family_is_drawn_whole() -> None:
    counts = Draws.of(GROUPS, 1, 50).counts
    assert counts.shape == (51, 6)
    assert (counts[0] == 1).all()
    assert (counts[:, 0] == counts[:, 1]).all()
    assert (counts[:, 2:5] == counts[:, [2]]).all()
    assert (counts[:, [0, 2, 5]].sum(axis=1) == 3).all()  # as many families as there are
    assert len(np.unique(counts, axis=0)) > 5
    np.testing.assert_array_equal(counts, Draws.of(GROUPS, 1, 50).counts)
    assert (counts != Draws.of(GROUPS, 2, 50).counts).any()


def test_sums_are_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    draws, columns = Draws.of(GROUPS, 1, 20), np.arange(12.0).reshape(6, 2)
    whole = draws.sums(columns)
    np.testing.assert_array_equal(whole, draws.counts.astype(float) @ columns)
    monkeypatch.setattr(resample, "BLOCK", 4)
    np.testing.assert_array_equal(draws.sums(columns), whole)
    np.testing.assert_array_equal(draws.only(GROUPS == 3).sums(columns[2:5]), draws.counts[:, 2:5] @ columns[2:5])


def test_what_is_not_defined_is_left_out_of_the_interval_and_is_null() -> None:
    samples = ratio(np.array([1.0, 1.0, 3.0, 0.0]), np.array([4.0, 4.0, 4.0, 0.0]))
    assert np.isnan(samples[3])
    assert summary(samples).value == 0.25
    assert 0.25 <= summary(samples).low <= summary(samples).high <= 0.75
    assert figure(np.full(4, np.nan)) == {"value": None, "low": None, "high": None}


@pytest.mark.parametrize(("value", "written"), [(0.123456789, 0.12346), (-0.0, 0.0), (123456.7, 123460.0)])
def test_five_significant_digits(value: float, written: float) -> None:
    assert rounded(value) == written
    assert str(rounded(value)) == str(written)  # never minus nought
