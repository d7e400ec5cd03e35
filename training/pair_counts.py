"""The training rows of a pair's cells, as they may be released."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.policy import POLICY

Shown = list[list[int | None]]


def shown_grid(counts: Sequence[Sequence[int]]) -> Shown:
    """Counts by cell; those under the disclosure threshold are None, none at all included.

    The rows of a feature's own bins are released too, so a cell could be worked out by subtraction: in every row and
    column the hidden cells are at least two and come to the threshold together, or the smallest others hide as well.
    """
    grid = np.array(counts, dtype=np.intp)
    hidden = grid < POLICY.disclosure_threshold
    before = -1
    while before != int(hidden.sum()):
        before = int(hidden.sum())
        for line, covered in [*zip(grid, hidden, strict=True), *zip(grid.T, hidden.T, strict=True)]:
            _cover(line, covered)
    return [[None if h else int(n) for n, h in zip(*row, strict=True)] for row in zip(grid, hidden, strict=True)]


def _cover(line: NDArray[np.intp], covered: NDArray[np.bool_]) -> None:
    """Hides the smallest cells of a line until those hidden cannot be worked out; `covered` is changed in place."""
    for place in np.argsort(line, kind="stable"):
        if not covered.any() or (covered.sum() > 1 and line[covered].sum() >= POLICY.disclosure_threshold):
            return
        covered[place] = True
