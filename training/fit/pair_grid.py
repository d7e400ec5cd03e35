"""One grid fitted on top of a margin: penalised logistic regression, with the promises as linear constraints.

Minimise  sum of log losses of (margin + grid) + penalty / 2 * (grid' S grid)  under  A grid >= c, where S is a ridge
and the squared differences between neighbouring groups, so that a grid is drawn to nothing and is smooth. Each row lies
in one cell, so the curvature of the loss is diagonal and a Newton step is a small quadratic problem. The penalty is
found by marginal likelihood, as in `smoothing`. Rows of cells below the disclosure threshold are left out: what such a
cell says comes from its neighbours and the ridge, and describes no case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import nnls

from training.fit.objective import log_loss_and_chance
from training.fit.pair_promises import of_own_table, smallest, steps
from training.fit.pair_terms import Codes, FittedPair, Floats
from training.fit.terms import FittedTerm, Table
from training.policy import POLICY

MOST_KNOWN = 8  # groups of known answers
PRIOR_SHAPE, PRIOR_RATE = 1.0, 0.01  # where data are silent: variance 0.01 (log-odds squared) of a cell
PENALTY_RANGE = (1e-1, 1e5)
FIRST_PENALTY = 20.0
MOST_STEPS, LONGEST_STEP, SETTLED = 30, 1.0, 1e-7
SLACK = 1e-7  # log-odds by which a promise is kept at least, so that rounding cannot break it


@dataclass(frozen=True, slots=True)
class GridProblem:
    """What is penalised and what is constrained for one pair: `smoothness` S, and `constraints` A with `least` c."""

    shape: tuple[int, int]
    smoothness: Floats
    constraints: Floats
    least: Floats


def coarse_groups(term: FittedTerm, most: int = MOST_KNOWN) -> tuple[int, ...]:
    """Group of each code: at most `most` of known answers, then not known, then not applicable where it is allowed.

    Neighbouring bins are put together to about equal training rows; of a category's levels the rarest are.
    """
    bins = len(term.values)
    known = np.arange(bins) if bins <= most else _merged(term, most)
    _, known = np.unique(known, return_inverse=True)
    not_known = int(known.max()) + 1
    return (*(int(group) for group in known), not_known, not_known + term.spec.not_applicable)


def _merged(term: FittedTerm, most: int) -> Codes:
    counts = np.array(term.counts, dtype=np.float64)
    if term.spec.kind == "category":
        rank = np.argsort(np.argsort(-counts, kind="stable"), kind="stable")
        return np.asarray(np.minimum(rank, most - 1))
    middle = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1.0)
    return np.asarray(np.minimum((middle * most).astype(np.intp), most - 1), dtype=np.intp)


def empty_pair(table: Table, codes: NDArray[np.uint8], first: int, second: int, most: int = MOST_KNOWN) -> FittedPair:
    """A pair of features with nothing in it yet, with the groups and training rows of its cells."""
    groups = (coarse_groups(table.terms[first], most), coarse_groups(table.terms[second], most))
    shape = (max(groups[0]) + 1, max(groups[1]) + 1)
    rows, columns = (np.array(one) for one in groups)
    cell = rows[codes[:, first]] * shape[1] + columns[codes[:, second]]
    counts = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    empty = tuple((0.0,) * shape[1] for _ in range(shape[0]))
    return FittedPair(first, second, groups, empty, tuple(tuple(int(n) for n in row) for row in counts))


def cells_of(pair: FittedPair, codes: NDArray[np.uint8]) -> Codes:
    """The cell of each row, counted row by row of the grid."""
    rows, columns = (np.array(groups) for groups in pair.groups)
    return np.asarray(rows[codes[:, pair.first]] * len(pair.values[0]) + columns[codes[:, pair.second]])


def problem_of(table: Table, pair: FittedPair, others: Sequence[FittedPair]) -> GridProblem:
    """The problem of a pair on top of a table and of the other pairs that it shares features with."""
    shape = (len(pair.values), len(pair.values[0]))
    smoothness = smoothness_of((table.terms[pair.first], table.terms[pair.second]), shape)
    eye = np.eye(shape[0]), np.eye(shape[1])
    rows: list[Floats] = []
    least: list[float] = []
    for axis, feature in enumerate((pair.first, pair.second)):
        for step in steps(table.terms[feature]):
            low, high = pair.groups[axis][step.before], pair.groups[axis][step.after]
            if low == high:
                continue
            change = step.sign * (eye[axis][high] - eye[axis][low])[None, :]
            block = np.kron(change, eye[1]) if axis == 0 else np.kron(eye[0], change)
            rows.append(block)
            room = smallest(table, feature, step, others) if others else of_own_table(table.terms[feature], step)
            least += [SLACK - room] * len(block)
    constraints = np.vstack(rows) if rows else np.empty((0, shape[0] * shape[1]))
    return GridProblem(shape, smoothness, constraints, np.array(least))


def smoothness_of(terms: tuple[FittedTerm, FittedTerm], shape: tuple[int, int]) -> Floats:
    """S of a grid of that shape over two features: a ridge, and squared differences between neighbouring groups."""
    first, second = (_differences(term, size) for term, size in zip(terms, shape, strict=True))
    smoothness = np.eye(shape[0] * shape[1])
    smoothness += np.kron(first.T @ first, np.eye(shape[1])) + np.kron(np.eye(shape[0]), second.T @ second)
    return smoothness


def _differences(term: FittedTerm, groups: int) -> Floats:
    """Differences between neighbouring groups of known answers, (differences, groups); none for a category."""
    known = groups - 1 - term.spec.not_applicable
    if term.spec.kind == "category":
        return np.zeros((1, groups))
    return np.diff(np.eye(groups)[:known], axis=0) if known > 1 else np.zeros((1, groups))


def fit_grid(
    problem: GridProblem, cell: Codes, margin: Floats, y: Floats, weight: Floats, penalty: float | None = None
) -> tuple[Floats, float]:
    """The grid (rows, columns) and its penalty, found from the data unless given.

    `cell`, `margin` (log-odds so far), `y` and `weight` are by case; cells with few cases are left out.
    """
    size = problem.shape[0] * problem.shape[1]
    enough = np.bincount(cell, minlength=size) >= POLICY.disclosure_threshold
    kept = enough[cell]
    cell, margin, y, weight = cell[kept], margin[kept], y[kept], weight[kept]
    grid = np.zeros(size)
    strength = FIRST_PENALTY if penalty is None else penalty
    for _ in range(MOST_STEPS):
        _, chance = log_loss_and_chance(margin + grid[cell], y)
        gradient = np.bincount(cell, weight * (chance - y), minlength=size)
        curvature = np.bincount(cell, weight * chance * (1.0 - chance), minlength=size)
        hessian = np.diag(curvature) + strength * problem.smoothness
        target = least_squares(hessian, curvature * grid - gradient, problem.constraints, problem.least)
        move = target - grid
        largest = float(np.abs(move).max(initial=0.0))
        grid = grid + move * min(1.0, LONGEST_STEP / max(largest, 1e-12))
        before = strength
        if penalty is None:
            effective = float(np.trace(cho_solve(cho_factor(hessian), np.diag(curvature))))
            rough = float(grid @ problem.smoothness @ grid)
            strength = float(np.clip((effective + PRIOR_SHAPE) / (rough + PRIOR_RATE), *PENALTY_RANGE))
        if largest < SETTLED * 100 and abs(np.log(strength / before)) < 0.01:
            break
    return grid.reshape(problem.shape), strength


def least_squares(hessian: Floats, linear: Floats, constraints: Floats, least: Floats) -> Floats:
    """The minimum of x' H x / 2 - l' x under A x >= c.

    A constrained one is the least distance from the free one, by non-negative least squares (Lawson and Hanson 1974,
    *Solving Least Squares Problems*, chapter 23, LDP). Raises ValueError where no x keeps the constraints.
    """
    factor = cho_factor(hessian, lower=True)
    free = cho_solve(factor, linear)
    missing = least - constraints @ free
    if not np.any(missing > 0):
        return np.asarray(free)
    triangle = np.tril(factor[0])
    turned = solve_triangular(triangle, constraints.T, lower=True)  # (cells, constraints)
    scale = float(missing.max())
    stacked = np.vstack([turned, missing[None, :] / scale])
    wanted = np.zeros(len(stacked))
    wanted[-1] = 1.0
    found, distance = nnls(stacked, wanted, maxiter=20 * len(stacked) + 20 * len(missing))
    if distance < 1e-9:
        raise ValueError("no grid keeps the promises on top of this table")
    residual = stacked @ found - wanted
    nearest = -residual[:-1] / residual[-1] * scale
    return np.asarray(free + solve_triangular(triangle, nearest, lower=True, trans="T"))
