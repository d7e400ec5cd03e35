"""The measures against scikit-learn's, and what they say of a margin that is known."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score

from benchmarks.learners.scores import scores


@pytest.fixture
def judged():
    rng = np.random.default_rng(1)
    margin = rng.normal(-1.0, 1.5, 20_000)
    return (rng.random(len(margin)) < 1 / (1 + np.exp(-margin))).astype(np.int8), margin


def test_they_are_scikit_learns(judged):
    outcome, margin = judged
    found = scores(outcome, margin)
    assert found.auc == pytest.approx(roc_auc_score(outcome, margin), abs=1e-12)
    assert found.average_precision == pytest.approx(average_precision_score(outcome, margin), abs=1e-12)
    assert found.log_loss == pytest.approx(log_loss(outcome, 1 / (1 + np.exp(-margin))), abs=1e-9)


def test_the_true_margin_is_calibrated_and_a_stretched_one_is_not(judged):
    outcome, margin = judged
    true, stretched = scores(outcome, margin), scores(outcome, 2 * margin)
    assert true.calibration_slope == pytest.approx(1, abs=0.05)
    assert stretched.calibration_slope == pytest.approx(true.calibration_slope / 2, abs=1e-4)
    assert true.ece < 0.02 < stretched.ece


def test_ece_by_hand():
    outcome = np.array([0, 1] * 10, dtype=np.int8)
    assert scores(outcome, np.zeros(20)).ece == pytest.approx(0)
    assert scores(outcome, np.full(20, np.log(3))).ece == pytest.approx(0.25)
