"""Splits cases so that a family is never on both sides.

The first published AUC of the Allegheny tool was inflated by siblings on both sides (Chouldechova and others 2018).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.fit.folds import grouped_folds

HELD_OUT_PARTS = 5
"""One fifth of the families is held out."""


class TooFewCases(ValueError):
    """Cases that cannot be split so that both sides hold both outcomes. One line, with what is needed."""


def held_out(y: NDArray[np.int8], groups: NDArray[np.int64], seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row numbers for fitting and for testing, both rising; about one family in five is tested on.

    Raises `TooFewCases` where no fifth of the families leaves both outcomes on both sides: with fewer than five
    families that have the outcome, or that do not, and sometimes with hardly more.
    """
    folds = grouped_folds(y.astype(np.float64), groups, HELD_OUT_PARTS, seed)
    for test in folds if len(folds) == HELD_OUT_PARTS else ():
        fit = np.setdiff1d(np.arange(len(y)), test)
        if min(len(np.unique(y[side])) for side in (fit, test)) == 2:
            return fit, test
    families = len(np.unique(groups[y == 1])), len(np.unique(groups[y == 0]))
    raise TooFewCases(
        f"too few cases to judge a model: {families[0]} families have the outcome and {families[1]} have a case "
        f"without it; more than {HELD_OUT_PARTS} of each are needed, so that both sides of a split have both"
    )
