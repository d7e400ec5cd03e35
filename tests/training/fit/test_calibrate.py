from __future__ import annotations

import numpy as np
import pytest

from training.fit.calibrate import recalibrated, recalibration
from training.fit.table_regression import TableRegression


def outcomes(margin, seed=0):
    return (np.random.default_rng(seed).random(len(margin)) < 1 / (1 + np.exp(-margin))).astype(float)


MARGIN = np.random.default_rng(1).normal(-1, 1.2, 20_000)
ALONE = np.arange(20_000)


def test_an_overconfident_margin_is_shrunk_by_the_slope():
    found = recalibration(2 * MARGIN + 0.5, outcomes(MARGIN), ALONE)
    assert found.applied
    assert found.slope == pytest.approx(0.5, abs=3 * found.slope_error)
    assert found.intercept == pytest.approx(-0.25, abs=3 * found.intercept_error)


def test_a_calibrated_margin_is_left_alone():
    found = recalibration(MARGIN, outcomes(MARGIN), ALONE)
    assert not found.applied
    assert abs(found.slope - 1) < 3 * found.slope_error


def test_standard_errors_are_those_of_repeated_samples():
    slopes = [recalibration(MARGIN[:2000], outcomes(MARGIN[:2000], seed), ALONE[:2000]) for seed in range(150)]
    spread = np.std([s.slope for s in slopes], ddof=1)
    assert np.mean([s.slope_error for s in slopes]) == pytest.approx(spread, rel=0.2)


def test_families_alike_widen_the_errors():
    twice = np.repeat(MARGIN[:5000], 4)
    y = np.repeat(outcomes(MARGIN[:5000]), 4)
    alone = recalibration(twice, y, np.arange(20_000)).slope_error
    families = recalibration(twice, y, np.repeat(np.arange(5000), 4)).slope_error
    assert families == pytest.approx(2 * alone, rel=0.05)


@pytest.mark.parametrize("margin", [np.full(50, np.nan), np.zeros(50)])
def test_without_held_out_margins_nothing_is_applied(margin):
    found = recalibration(margin, np.arange(50) % 2.0, np.arange(50))
    assert (found.slope, found.intercept, found.applied) == (1.0, 0.0, False)


def test_recalibrating_the_table_is_recalibrating_its_margin(cases):
    drawn = cases(1000)
    table = TableRegression(drawn.specs).fit(drawn.X, drawn.y).table_
    found = recalibration(3 * drawn.margin, drawn.y.astype(float), drawn.groups)
    assert found.applied
    expected = found.intercept + found.slope * table.margin(drawn.X)
    assert np.allclose(recalibrated(table, found).margin(drawn.X), expected, atol=1e-13)
