"""Sums of columns, each rounded once: to the last bit what `math.fsum` gives for one case."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_DOUBT = 2.0**-84
"""Of the sum of magnitudes. What 2^10 terms lose of the correction is below 2^20 * 2^-106 of it; half a last bit of an
ordinary sum is 2^-53 of it."""


def exact_sum(first: float, columns: Sequence[Floats]) -> Floats:
    """`first` plus the columns, (rows,). Finite numbers whose sums do not overflow.

    By error-free transformations (Knuth, The Art of Computer Programming 2, section 4.2.2); where the correction is
    too close to half a last bit to say how the sum rounds, `math.fsum` is asked.
    """
    rows = len(columns[0])
    total, lost, size = np.full(rows, first), np.zeros(rows), np.full(rows, abs(first))
    after, part, error = np.empty(rows), np.empty(rows), np.empty(rows)
    for column in columns:
        np.add(total, column, out=after)
        np.subtract(after, total, out=part)  # what of the column went in
        np.subtract(column, part, out=error)
        np.subtract(after, part, out=part)  # what of the total stayed
        np.subtract(total, part, out=part)
        error += part
        lost += error
        np.abs(column, out=part)
        size += part
        total, after = after, total
    rounded = total + lost
    kept = rounded - total
    rest = np.abs((total - (rounded - kept)) + (lost - kept))
    ulp = np.spacing(np.abs(rounded))
    doubt = np.maximum(size * _DOUBT, 5e-324)
    # Below a power of two the last bit is half as large, so half of that is a place to stumble too.
    unsure = (np.abs(rest - ulp / 2) <= doubt) | (np.abs(rest - ulp / 4) <= doubt)
    for row in np.flatnonzero(unsure):
        rounded[row] = math.fsum([first, *(float(column[row]) for column in columns)])
    return rounded
