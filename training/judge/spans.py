"""Which counts follow from others by adding and subtracting: linear algebra over sets of cases."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SPARE = 16
"""Random directions beyond the number of sets: a set outside the span of others stays outside, as good as surely."""
NOTHING = 1e-7
"""Length, as a share of what it was, below which a vector counts as none: sets are zeros and ones, so that rounding
leaves 1e-13 or so and a true difference about 1e-2."""


def patterns(sets: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Cases that belong to the same sets as one column: (sets, patterns) of 0 and 1, and how many cases each has."""
    packed = np.ascontiguousarray(np.packbits(sets, axis=0).T)
    whole = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, counts = np.unique(whole, return_index=True, return_counts=True)
    return sets[:, first].astype(np.float64), counts.astype(np.float64)


class Span:
    """What follows from the counts of the sets taken so far; `guarded` (guarded, patterns) must not."""

    def __init__(self, sets: Floats, guarded: Floats) -> None:
        wide, sizes = sets.shape[1], len(sets) + SPARE
        chance = np.random.default_rng(0).standard_normal((wide, sizes)) if wide > sizes else np.eye(wide)
        self._chance = chance
        self._sets = sets @ chance
        self._lengths, self._rest = np.linalg.norm(guarded @ chance, axis=1), guarded @ chance
        self._basis = np.zeros((0, chance.shape[1]))

    def take(self, places: Iterable[int]) -> None:
        """Takes the sets at these places as known."""
        self._basis, new = self._grown(places)
        self._rest = self._rest - (self._rest @ new.T) @ new

    def would_give(self, places: Iterable[int], more: Floats) -> bool:
        """Whether a guarded set, or one of `more` (n, patterns), would follow if these were known too."""
        basis, new = self._grown(places)
        rest = self._rest - (self._rest @ new.T) @ new
        given = np.linalg.norm(rest, axis=1) < NOTHING * self._lengths
        # What known sets give by themselves cannot be helped by withholding this figure.
        given &= np.linalg.norm(self._rest, axis=1) >= NOTHING * self._lengths
        drawn = more @ self._chance
        left = drawn - (drawn @ basis.T) @ basis
        return bool(given.any() or (np.linalg.norm(left, axis=1) < NOTHING * np.linalg.norm(drawn, axis=1)).any())

    def _grown(self, places: Iterable[int]) -> tuple[Floats, Floats]:
        """The basis with these sets, and the directions that are new in it."""
        basis, old = self._basis, len(self._basis)
        for place in places:
            vector = self._sets[place]
            length = float(np.linalg.norm(vector))
            for _ in range(2):  # once more, for what rounding left the first time
                vector = vector - basis.T @ (basis @ vector)
            if (rest := float(np.linalg.norm(vector))) > NOTHING * max(length, 1.0):
                basis = np.vstack([basis, vector / rest])
        return basis, basis[old:]
