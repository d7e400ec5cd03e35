"""Grids for given pairs on top of a fitted additive table, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.fit.pair_grid import cells_of, empty_pair, fit_grid, problem_of
from training.fit.pair_terms import FittedPair, Floats
from training.fit.terms import Table

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FittedPairs:
    """The grids, in the order in which they were fitted, and the penalty of each."""

    pairs: tuple[FittedPair, ...]
    penalties: tuple[float, ...]


def codes_by(table: Table, X: Floats) -> NDArray[np.uint8]:
    """Codes of encoded rows by the table's bins, (rows, features), columns contiguous."""
    codes = np.empty(X.shape, dtype=np.uint8, order="F")
    for j, term in enumerate(table.terms):
        codes[:, j] = term.codes(X[:, j])
    return codes


def margin_by(table: Table, codes: NDArray[np.uint8]) -> Floats:
    """Log-odds of rows of codes, (rows,), without pairs."""
    margin = np.full(len(codes), table.intercept)
    for j, term in enumerate(table.terms):
        margin += term.by_code()[codes[:, j]]
    return margin


def fit_pairs(
    table: Table,
    codes: NDArray[np.uint8],
    margin: Floats,
    y: Floats,
    pairs: Sequence[Pair],
    weight: Floats | None = None,
    penalties: Sequence[float] | None = None,
) -> FittedPairs:
    """A grid for each pair of features, on top of the table and of the pairs before it. Not purified.

    `codes` (rows, features) and `margin` (rows,) are those of the table; `weight` (rows,) is 1 where None. `penalties`
    None: each is found from the data.
    """
    weight = np.ones(len(y)) if weight is None else weight
    fitted: list[FittedPair] = []
    found: list[float] = []
    total = margin
    for number, (first, second) in enumerate(pairs):
        pair = empty_pair(table, codes, first, second)
        cell = cells_of(pair, codes)
        given = None if penalties is None else penalties[number]
        grid, penalty = fit_grid(problem_of(table, pair, fitted), cell, total, y, weight, given)
        total = total + grid.ravel()[cell]
        fitted.append(pair.with_grid(grid))
        found.append(penalty)
    return FittedPairs(tuple(fitted), tuple(found))
