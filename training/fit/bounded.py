"""A quadratic function's lowest point within bounds, exactly.

Block principal pivoting (Portugal, Judice and Vicente 1994, Mathematics of Computation 63, 625-643): guess which
parameters are held at their bound, solve for the others, put right all that is wrong about the guess at once. Where
that stops getting better, one at a time (Murty's rule), which ends for every positive definite function.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from training.fit.terms import Floats

CHANCES = 5  # exchanges of all at once that may fail to get better, before one at a time
SLACK = 1e-12  # of the largest entry: what rounding makes of nothing


def lowest(curvature: Floats, linear: Floats, lower: Floats, upper: Floats, near: Floats) -> Floats:
    """The minimum of x' C x / 2 - l' x under lower <= x <= upper, where C is positive definite, (parameters,).

    Each parameter has one finite bound at most. `near` is within the bounds: what lies at its bound there is guessed
    to lie there again. Raises `numpy.linalg.LinAlgError` where C is not positive definite.
    """
    bound = np.where(np.isfinite(lower), lower, np.where(np.isfinite(upper), upper, 0.0))
    sign = np.where(np.isfinite(lower), 1.0, np.where(np.isfinite(upper), -1.0, 0.0))
    held = (sign != 0) & (near == bound)
    fewest, chances = len(linear) + 1, CHANCES
    while True:
        x, wrong = _guessed(curvature, linear, bound, sign, held)
        count = int(np.count_nonzero(wrong))
        if not count:
            return x
        if count < fewest:
            fewest, chances = count, CHANCES
        elif chances:
            chances -= 1
        else:
            last = np.flatnonzero(wrong)[-1]
            wrong = np.zeros_like(wrong)
            wrong[last] = True
        held ^= wrong


def _guessed(
    curvature: Floats, linear: Floats, bound: Floats, sign: Floats, held: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.bool_]]:
    """The minimum with these parameters at their bounds, and of which the guess was wrong: those beyond theirs, and
    those held that would go inwards."""
    x = np.where(held, bound, 0.0)
    free = np.flatnonzero(~held)
    pull = linear - curvature @ x
    if len(free):
        x[free] = cho_solve(cho_factor(curvature[np.ix_(free, free)]), pull[free])
        pull = linear - curvature @ x
    within = sign * (x - bound)
    beyond = ~held & (within < -SLACK * max(1.0, float(np.abs(x).max())))
    inwards = held & (sign * pull > SLACK * max(1.0, float(np.abs(linear).max())))
    return np.where(within < 0.0, bound, x), beyond | inwards
