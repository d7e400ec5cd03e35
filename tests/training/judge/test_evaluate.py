"""Figures are scikit-learn's, intervals hold their point, and a threshold keeps within its capacity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from training.judge.evaluate import MEASURES, calibration_in_the_large, evaluate, operating_point, samples_of
from training.judge.resample import Draws

ROWS = 600


def measure(y: NDArray[np.int8], margin: NDArray[np.float64], weight: NDArray[np.int64]) -> dict[str, float]:
    """Every measure with rows counted as often as the weights say, without intervals."""
    draws = Draws(weight[None, :].astype(np.uint8))
    return {name: float(samples[0]) for name, samples in samples_of(y, margin, draws).items()}


def drawn(slope: float = 1.0, shift: float = 0.0) -> tuple[NDArray[np.int8], NDArray[np.float64], NDArray[np.int64]]:
    """Outcomes whose log-odds are `slope * margin + shift`, the margin, and families of three."""
    rng = np.random.default_rng(3)
    margin = rng.normal(-1, 1.2, ROWS)
    y = (rng.random(ROWS) < 1 / (1 + np.exp(-(slope * margin + shift)))).astype(np.int8)
    return y, margin, np.arange(ROWS) // 3


def test_measures_equal_scikit_learns() -> None:
    y, margin, _ = drawn()
    score = 1 / (1 + np.exp(-margin))
    found = measure(y, margin, np.ones(ROWS, dtype=np.int64))
    assert set(found) == set(MEASURES)
    assert found["auc"] == pytest.approx(roc_auc_score(y, score), abs=1e-12)
    assert found["average_precision"] == pytest.approx(average_precision_score(y, score), abs=1e-12)
    assert found["log_loss"] == pytest.approx(log_loss(y, score), abs=1e-12)
    assert found["brier"] == pytest.approx(brier_score_loss(y, score), abs=1e-12)
    slope = LogisticRegression(C=np.inf, tol=1e-10).fit(margin[:, None], y).coef_[0, 0]
    assert found["calibration_slope"] == pytest.approx(slope, abs=1e-6)


def test_weights_count_rows_as_often_as_they_say() -> None:
    y, margin, _ = drawn()
    times = np.random.default_rng(0).integers(1, 4, ROWS)
    repeated = measure(np.repeat(y, times), np.repeat(margin, times), np.ones(times.sum(), dtype=np.int64))
    assert measure(y, margin, times) == pytest.approx(repeated, abs=1e-5)


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.5, 0.0), (1.0, 0.8)])
def test_calibration_finds_the_slope_and_shift_that_were_planted(slope: float, shift: float) -> None:
    y, margin, _ = drawn(slope, shift)
    found = measure(y, margin, np.ones(ROWS, dtype=np.int64))
    assert found["calibration_slope"] == pytest.approx(slope, abs=0.25)
    assert slope != 1.0 or found["calibration_intercept"] == pytest.approx(shift, abs=0.2)


@pytest.mark.parametrize("too_sure", [0.3, 1.0, 2.5, 6.0, 10.0])
@pytest.mark.parametrize("shift", [-4.0, 0.0])
def test_the_slope_is_scikit_learns_however_sure_scores_are(too_sure: float, shift: float) -> None:
    y, margin, _ = drawn(shift=shift)
    found = measure(y, too_sure * margin - 2.0, np.ones(ROWS, dtype=np.int64))["calibration_slope"]
    slope = LogisticRegression(C=np.inf, tol=1e-10).fit(margin[:, None], y).coef_[0, 0] / too_sure
    assert found == pytest.approx(slope, rel=1e-5)


def test_no_slope_is_made_up_where_there_is_none() -> None:
    y, margin, _ = drawn()
    ones = np.ones(ROWS, dtype=np.int64)
    assert np.isnan(measure(y, np.full(ROWS, -1.0), ones)["calibration_slope"])
    assert np.isnan(measure(y, np.where(y == 1, margin + 50, margin - 50), ones)["calibration_slope"])


def test_calibration_in_the_large_makes_the_mean_score_the_share_of_outcomes() -> None:
    y, margin, _ = drawn(shift=-3.0)
    shift = calibration_in_the_large(y, margin, np.ones(ROWS))
    assert np.mean(1 / (1 + np.exp(-(margin + shift)))) == pytest.approx(y.mean(), abs=1e-9)


def test_tied_scores_count_half_and_rank_together_as_scikit_learn_has_it() -> None:
    y, margin, _ = drawn()
    tied = np.round(margin)
    weight = np.random.default_rng(2).integers(0, 4, ROWS)
    found = measure(y, tied, weight)
    assert found["auc"] == pytest.approx(roc_auc_score(y, tied, sample_weight=weight), abs=1e-12)
    assert found["average_precision"] == pytest.approx(
        average_precision_score(y, tied, sample_weight=weight), abs=1e-12
    )


def test_intervals_hold_the_point() -> None:
    y, margin, groups = drawn()
    found = evaluate(y, margin, Draws.of(groups, 1, 40))
    assert list(found) == list(MEASURES)
    point = measure(y, margin, np.ones(ROWS, dtype=np.int64))
    assert {name: measured.value for name, measured in found.items()} == pytest.approx(point)
    for measured in found.values():
        assert measured.low < measured.value < measured.high


def test_intervals_are_by_family_so_copies_of_a_row_are_no_evidence() -> None:
    y, margin, _ = drawn()
    rows = np.repeat(np.arange(ROWS), 5)
    once = evaluate(y, margin, Draws.of(np.arange(ROWS), 1, 40))["auc"]
    copied = evaluate(y[rows], margin[rows], Draws.of(rows, 1, 40))["auc"]
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high), abs=1e-9)
    assert once.high - once.low > 0.02


def test_resamples_with_one_outcome_are_left_out() -> None:
    y = np.array([1, 0, 0, 0, 0, 1], dtype=np.int8)
    margin = np.array([1.0, -1.0, 0.5, -2.0, 0.1, -0.5])
    found = evaluate(y, margin, Draws.of(np.arange(6), 0, 40))
    assert all(np.isfinite([measured.value, measured.low, measured.high]).all() for measured in found.values())


@given(
    margins=st.lists(st.sampled_from([-2.0, -1.0, 0.0, 0.5, 3.0]), min_size=2, max_size=60),
    capacity=st.floats(0.01, 0.99),
    data=st.data(),
)
def test_the_threshold_is_the_lowest_within_capacity_ties_and_all(
    margins: list[float], capacity: float, data: st.DataObject
) -> None:
    margin = np.array(margins)
    y = np.array(data.draw(st.lists(st.integers(0, 1), min_size=len(margins), max_size=len(margins))), dtype=np.int8)
    y[0] = 1
    point = operating_point(y, margin, capacity)
    prompted = margin >= point.threshold
    assert point.share_prompted == prompted.mean() <= capacity
    lower = margin[margin < point.threshold]
    assert np.mean(margin >= lower.max()) > capacity  # the next lower threshold would prompt too many
    assert point.sensitivity == pytest.approx(y[prompted].sum() / y.sum())
    assert point.precision == (pytest.approx(y[prompted].mean()) if prompted.any() else 0.0)


def test_a_capacity_that_no_tie_fits_prompts_nobody() -> None:
    point = operating_point(np.array([1, 0, 0, 0], dtype=np.int8), np.zeros(4), 0.5)
    assert (point.share_prompted, point.sensitivity, point.precision) == (0.0, 0.0, 0.0)
    assert 0 < point.threshold <= 1e-9


def test_a_capacity_met_exactly_is_within_it() -> None:
    point = operating_point(np.array([1, 0] * 10, dtype=np.int8), np.arange(20.0), 0.05)
    assert (point.threshold, point.share_prompted) == (pytest.approx(19.0, abs=1e-8), 0.05)


@pytest.mark.parametrize("lower", [0.0, 18.9, 19.0 - 1e-10])
def test_a_case_at_the_threshold_stays_there_when_its_terms_are_added_in_another_order(lower: float) -> None:
    """The service adds up exactly, training in order: the last digit differs."""
    margin = np.array([lower] * 19 + [19.0])
    point = operating_point(np.array([1, 0] * 10, dtype=np.int8), margin, 0.05)
    assert lower < point.threshold < np.nextafter(19.0, 0)
