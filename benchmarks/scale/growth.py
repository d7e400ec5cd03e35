"""How figures grow with rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def exponent(rows: Sequence[int], figures: Sequence[float]) -> float:
    """The power of rows that the figures follow: slope of the least-squares line through the logarithms.

    1 is linear growth. NaN with fewer than two sizes, or a figure that is not above 0.
    """
    if len(rows) < 2 or min(figures) <= 0:
        return float("nan")
    return float(np.polyfit(np.log(rows), np.log(figures), 1)[0])
