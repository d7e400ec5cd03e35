"""Splits cases so that a family is never on both sides.

The first published AUC of the Allegheny tool was inflated by siblings on both sides (Chouldechova and others 2018).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

HELD_OUT_PARTS = 5
"""One fifth of the families is held out."""


def held_out(y: NDArray[np.int8], groups: NDArray[np.int64], seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row numbers for fitting and for testing, both rising; about one family in five is tested on."""
    folds = StratifiedGroupKFold(HELD_OUT_PARTS, shuffle=True, random_state=seed)
    fit, test = next(iter(folds.split(np.zeros((len(y), 1)), y, groups)))
    return np.sort(fit), np.sort(test)
