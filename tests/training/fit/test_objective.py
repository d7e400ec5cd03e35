from __future__ import annotations

import numpy as np
import pytest

from training.fit import objective
from training.fit.objective import LogisticLoss

SIZES = (4, 34, 3, 34, 2)


@pytest.fixture(scope="module", params=[40_000, 300, "many chunks"])
def problem(request):
    """Rows of one chunk, of less than a block, and of many chunks."""
    rng = np.random.default_rng(3)
    rows = 40_000 if request.param == "many chunks" else request.param
    codes = np.column_stack([rng.integers(0, size, rows) for size in SIZES]).astype(np.uint8)
    y, weight = (rng.random(rows) < 0.2).astype(float), rng.integers(1, 4, rows).astype(float)
    with pytest.MonkeyPatch.context() as patched:
        if request.param == "many chunks":
            patched.setattr(objective, "BLOCK_ROWS", 1_000)
            patched.setattr(objective, "CHUNK_ROWS", 4_000)
        yield codes, y, weight, rng.normal(0, 0.3, sum(SIZES))


def dense(codes):
    return np.hstack([np.eye(size)[codes[:, j]] for j, size in enumerate(SIZES)])


def test_loss_and_gradient_are_those_of_logistic_regression_on_indicators(problem):
    codes, y, weight, values = problem
    margin = -1.0 + dense(codes) @ values
    chance = 1 / (1 + np.exp(-margin))
    loss, by_intercept, by_value = LogisticLoss(codes, SIZES, y, weight).value_and_gradient(-1.0, values)
    assert loss == pytest.approx(-np.sum(weight * (y * np.log(chance) + (1 - y) * np.log(1 - chance))))
    assert by_intercept == pytest.approx(np.sum(weight * (chance - y)))
    assert np.allclose(by_value, dense(codes).T @ (weight * (chance - y)), atol=1e-8)


def test_hessian_is_that_of_logistic_regression_on_indicators(problem):
    codes, y, weight, values = problem
    design = np.column_stack([np.ones(len(y)), dense(codes)])
    chance = 1 / (1 + np.exp(-(-1.0 + dense(codes) @ values)))
    expected = (design.T * (weight * chance * (1 - chance))) @ design
    assert np.allclose(LogisticLoss(codes, SIZES, y, weight).hessian(-1.0, values), expected, atol=1e-7)


def test_constant_curvature_is_the_hessians_diagonal_at_the_average(problem):
    codes, y, weight, values = problem
    loss = LogisticLoss(codes, SIZES, y, weight)
    share = np.average(y, weights=weight)
    total, by_value = loss.constant_curvature()
    diagonal = np.diag(loss.hessian(np.log(share / (1 - share)), np.zeros_like(values)))
    assert np.allclose([total, *by_value], diagonal)


def test_groups_cover_every_feature_once_and_stay_small():
    groups = objective._packed(SIZES, objective.MAX_CELLS)
    assert [size for group in groups for size in group.sizes] == list(SIZES)
    assert [group.first for group in groups] == [0, 3]
    assert all(np.prod(group.sizes) <= objective.MAX_CELLS for group in groups)


def test_huge_margins_neither_overflow_nor_lose_the_loss():
    log_loss, chance = objective.log_loss_and_chance(np.array([800.0, -800.0, 0.0]), np.array([0.0, 1.0, 1.0]))
    assert log_loss.tolist() == pytest.approx([800.0, 800.0, np.log(2)])
    assert chance.tolist() == [1.0, 0.0, 0.5]
