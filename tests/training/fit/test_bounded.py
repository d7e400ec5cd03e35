"""The lowest point of a quadratic within bounds is that of another solver, whatever was guessed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import LinAlgError
from scipy.optimize import lsq_linear

from training.fit import bounded
from training.fit.bounded import lowest


def drawn(seed: int, size: int):
    """A positive definite problem with bounds below, above and none, some of them not at nothing."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size + 3, size)) * np.exp(rng.normal(size=size))
    kind = rng.integers(0, 3, size)
    at = np.where(rng.random(size) < 0.5, 0.0, rng.normal(size=size))
    lower, upper = np.where(kind == 0, at, -np.inf), np.where(kind == 1, at, np.inf)
    return root, rng.normal(size=size + 3) * 3, lower, upper, rng


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(1, 25))
def test_it_is_what_scipy_finds(seed, size):
    root, wanted, lower, upper, rng = drawn(seed, size)
    near = np.clip(rng.normal(size=size), lower, upper)
    near = np.where(rng.random(size) < 0.5, np.where(np.isfinite(lower), lower, np.minimum(near, upper)), near)
    found = lowest(root.T @ root, root.T @ wanted, lower, upper, near)
    assert np.all((found >= lower) & (found <= upper))

    def height(x):
        return float(np.sum((root @ x - wanted) ** 2))

    other = lsq_linear(root, wanted, (lower, upper), method="bvls", tol=1e-14).x
    assert height(found) <= height(other) * (1 + 1e-9) + 1e-9
    np.testing.assert_allclose(found, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_one_at_a_time_gets_there_too(seed, monkeypatch):
    monkeypatch.setattr(bounded, "CHANCES", 0)
    root, wanted, lower, upper, _ = drawn(seed, 30)
    at_bounds = np.where(np.isfinite(lower), lower, np.where(np.isfinite(upper), upper, 0.0))
    one_by_one = lowest(root.T @ root, root.T @ wanted, lower, upper, at_bounds)
    monkeypatch.undo()
    np.testing.assert_allclose(one_by_one, lowest(root.T @ root, root.T @ wanted, lower, upper, at_bounds), atol=1e-9)


def test_what_lies_at_its_bound_lies_there_exactly():
    found = lowest(np.eye(3), np.array([-1.0, 2.0, -1.0]), np.zeros(3), np.full(3, np.inf), np.ones(3))
    assert found.tolist() == [0.0, 2.0, 0.0]


def test_a_function_without_a_lowest_point_is_refused():
    with pytest.raises(LinAlgError):
        lowest(np.diag([1.0, -1.0]), np.ones(2), np.full(2, -np.inf), np.full(2, np.inf), np.zeros(2))
