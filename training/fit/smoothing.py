"""The convex problem of table regression, solved for given penalties, and the penalties found from the data.

Minimise  sum of log losses + 1/2 sum_j penalty_j * (roughness of feature j)^2  within the bounds.

A penalty is the inverse variance of its feature's steps. It is found by maximum marginal likelihood with the
generalised Fellner-Schall update (Wood and Fasiolo 2017, Biometrics 73(4), 1071-1081, equation 4):
penalty <- (effective parameters) / (roughness), here with a weak Gamma prior so that a feature with few rows
keeps a middling penalty. Parameters held at a bound count as fixed. Against a grid of one common penalty by
cross-validation it was better on log loss and AUC and several times faster (docs/adr/0005).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import Bounds, minimize
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from training.fit.basis import Basis
from training.fit.objective import LogisticLoss
from training.fit.terms import Floats

PRIOR_SHAPE, PRIOR_RATE = 1.0, 0.2  # where data are silent: variance 0.2 (log-odds squared) over a whole feature
PENALTY_RANGE = (1e-3, 1e4)
FIRST_PENALTY = 4.0
MOST_UPDATES = 10
SETTLED = 0.02  # share of the effective parameters by which the fit may still change between two updates
ROUGH_STEPS, ROUGH_PRECISION = 60, 1e-8  # while penalties still move
FINAL_STEPS, FINAL_PRECISION = 3_000, 1e-10
NOT_SETTLED = 1e-3  # of a standard error; times the square root of rows, as rounding in the loss grows with them


@dataclass(frozen=True, slots=True)
class Solution:
    """Intercept first, then the basis' parameters; one penalty per feature."""

    parameters: Floats
    penalties: Floats
    steps: int

    def by_code(self, basis: Basis) -> Floats:
        """Values of all codes of all features, in one vector."""
        return np.asarray(basis.expand @ self.parameters[1:])


def fit_smooth(loss: LogisticLoss, basis: Basis) -> Solution:
    """Penalties and parameters together. Warm starts throughout; the last solution is to full precision."""
    with threadpool_limits(1, user_api="blas"):  # sums must not depend on the number of threads
        penalties = np.full(len(basis.sizes), FIRST_PENALTY)
        solution = solve(loss, basis, penalties, start_at(loss, basis), ROUGH_STEPS, ROUGH_PRECISION)
        steps = solution.steps
        for _ in range(MOST_UPDATES):
            penalties, change = _updated(loss, basis, solution)
            solution = solve(loss, basis, penalties, solution.parameters, ROUGH_STEPS, ROUGH_PRECISION)
            steps += solution.steps
            if change < SETTLED:
                break
        final = solve(loss, basis, penalties, solution.parameters)
    return Solution(final.parameters, penalties, steps + final.steps)


def start_at(loss: LogisticLoss, basis: Basis) -> Floats:
    """Parameters of the constant model."""
    share = min(max(loss.event_share, 1e-6), 1.0 - 1e-6)
    return np.concatenate([[np.log(share / (1.0 - share))], np.zeros(basis.expand.shape[1])])


def solve(
    loss: LogisticLoss,
    basis: Basis,
    penalties: Floats,
    start: Floats,
    most_steps: int = FINAL_STEPS,
    precision: float = FINAL_PRECISION,
) -> Solution:
    """The optimum for given penalties, by L-BFGS-B from `start`; warns when the last steps still moved."""
    weight = penalties[basis.component] * basis.weight
    rough, rough_t = basis.roughness, basis.roughness.T.tocsr()
    scale = _scale(loss, basis, weight)

    def objective(scaled: Floats) -> tuple[float, Floats]:
        parameters = scaled * scale
        value, by_intercept, by_value = loss.value_and_gradient(parameters[0], basis.expand @ parameters[1:])
        steps = rough @ parameters[1:]
        gradient = np.concatenate([[by_intercept], basis.collect @ by_value + rough_t @ (weight * steps)])
        return value + 0.5 * float(np.add.reduce(weight * steps * steps)), gradient * scale

    bounds = Bounds(np.concatenate([[-np.inf], basis.lower]), np.concatenate([[np.inf], basis.upper]))
    options = {"maxiter": most_steps, "maxfun": 2 * most_steps, "maxcor": 20, "ftol": precision, "gtol": 1e-7}
    found = minimize(objective, start / scale, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    if precision == FINAL_PRECISION:
        _warn_unless_settled(found.x, found.jac, bounds, loss.rows)
    return Solution(np.asarray(found.x * scale), penalties, int(found.nit))


def _warn_unless_settled(scaled: Floats, gradient: Floats, bounds: Bounds, rows: float) -> None:
    """Warns where a parameter that is free to move would still gain. One unit is about a standard error, and the
    gradient of a fit that is off by a thousandth of one is a thousandth."""
    downhill = np.clip(scaled - gradient, bounds.lb, bounds.ub) - scaled
    left = float(np.abs(downhill).max())
    if left > NOT_SETTLED * max(1.0, rows**0.5):
        warnings.warn(f"table regression stopped with a gradient of {left:.2g}", ConvergenceWarning, stacklevel=3)


def _scale(loss: LogisticLoss, basis: Basis, weight: Floats) -> Floats:
    """Units of the parameters in which the problem is about equally steep, from the constant model's curvature."""
    total, by_code = loss.constant_curvature()
    steepness = basis.collect.power(2) @ by_code + basis.roughness.power(2).T @ weight
    return 1.0 / np.sqrt(np.concatenate([[total], steepness]) + 1e-3)


def _updated(loss: LogisticLoss, basis: Basis, solution: Solution) -> tuple[Floats, float]:
    """One Fellner-Schall update: the new penalties, and how far they moved (share of effective parameters)."""
    parameters = solution.parameters[1:]
    weight = solution.penalties[basis.component] * basis.weight
    free = (parameters > basis.lower) & (parameters < basis.upper)
    variance = _variance(loss, basis, solution, weight, free)
    squares = basis.weight * (basis.roughness @ parameters) ** 2
    spread = basis.weight * np.asarray(basis.roughness.multiply(basis.roughness @ variance).sum(axis=1)).ravel()
    features = len(basis.sizes)
    rank = np.minimum(
        np.bincount(basis.feature, free, minlength=features), np.bincount(basis.component, minlength=features)
    )
    effective = rank - solution.penalties * np.bincount(basis.component, spread, minlength=features)
    effective = np.maximum(effective, 1e-3)
    roughness = np.bincount(basis.component, squares, minlength=features)
    penalties = np.clip((effective + PRIOR_SHAPE) / (roughness + PRIOR_RATE), *PENALTY_RANGE)
    moved = np.abs(np.log(penalties / solution.penalties)) * effective
    return penalties, float(moved.sum() / max(effective.sum(), 1.0))


def _variance(loss: LogisticLoss, basis: Basis, solution: Solution, weight: Floats, free: NDArray[np.bool_]) -> Floats:
    """Laplace variance of the parameters (intercept profiled out); zero for those held at a bound."""
    by_value = loss.hessian(solution.parameters[0], solution.by_code(basis))
    to_value, to_parameter = basis.expand, basis.collect
    crossed = to_parameter @ by_value[1:, 0]
    curvature: Floats = to_parameter @ (by_value[1:, 1:] @ to_value)
    curvature -= np.outer(crossed, crossed) / max(by_value[0, 0], 1e-12)
    curvature += (basis.roughness.T.multiply(weight) @ basis.roughness).toarray()
    rows = np.flatnonzero(free)
    variance = np.zeros_like(curvature)
    if len(rows):
        ridge = 1e-8 * np.eye(len(rows))
        variance[np.ix_(rows, rows)] = cho_solve(cho_factor(curvature[np.ix_(rows, rows)] + ridge), np.eye(len(rows)))
    return variance
