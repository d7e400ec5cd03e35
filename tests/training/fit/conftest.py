"""Small cases with a known truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from training.fit.terms import TermSpec

SPECS = (
    TermSpec("history", "yes_no", "raises", levels=2),
    TermSpec("in_contact", "yes_no", "lowers", levels=2),
    TermSpec("concern", "ordinal", "raises", levels=4),
    TermSpec("age", "number", "free"),
    TermSpec("visits", "count", "lowers", reference=9.0),
    TermSpec("source", "category", levels=6),
    TermSpec("gap_to_previous", "number", "lowers", not_applicable=True),
)


@dataclass(frozen=True)
class Cases:
    specs: tuple[TermSpec, ...]
    X: NDArray[np.float64]
    y: NDArray[np.int64]
    groups: NDArray[np.int64]
    margin: NDArray[np.float64]  # the truth, at what is observed


def draw_cases(rows: int, seed: int = 0) -> Cases:
    """Additive, monotone where SPECS say so; not known means risk, not applicable means none."""
    rng = np.random.default_rng(seed)
    X = np.column_stack(
        [
            rng.random(rows) < 0.3,
            rng.random(rows) < 0.7,
            rng.integers(0, 4, rows),
            np.round(rng.normal(28, 6, rows), 1),
            rng.poisson(6, rows),
            rng.integers(0, 6, rows),
            np.round(rng.gamma(2, 10, rows)),
        ]
    ).astype(float)
    effects = np.column_stack(
        [
            0.9 * X[:, 0],
            -0.6 * X[:, 1],
            np.array([0.0, 0.1, 0.6, 1.0])[X[:, 2].astype(int)],
            0.004 * (X[:, 3] - 28) ** 2,
            -0.15 * X[:, 4],
            np.array([-0.5, 0.0, 0.3, 0.0, 0.6, -0.2])[X[:, 5].astype(int)],
            -0.02 * X[:, 6],
        ]
    )
    missing = rng.random(X.shape) < 0.15
    effects[missing] = np.broadcast_to([0.5, 0.0, 0.6, 0.4, -0.4, 0.4, 0.2], X.shape)[missing]
    first_child = rng.random(rows) < 0.3
    effects[first_child, 6] = -1.2
    X[missing] = np.nan
    X[first_child, 6] = -np.inf
    margin = -1.0 + effects.sum(axis=1)
    y = (rng.random(rows) < 1 / (1 + np.exp(-margin))).astype(int)
    return Cases(SPECS, X, y, np.arange(rows) // 3, margin)


@pytest.fixture(scope="session")
def cases() -> Callable[..., Cases]:
    return draw_cases
