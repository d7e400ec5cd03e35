"""Which figures may be released: none that gives back, alone or with others, a count of few people.

A figure is offered with the sets of cases whose counts it gives back: a rate gives its part, what is left of its whole,
and the whole. It is withheld where one of these sets is smaller than the disclosure threshold. None at all and all are
withheld like a few, so that *withheld* does not tell that there is somebody; that there is nobody may follow from
other figures, and tells of nobody.

Figures are then taken in order of importance, the largest first, and one that would, by sums and differences of what
is shown before it, give a count from 1 to below the threshold, is withheld too. Guarded are the sets of all figures
offered, the difference of any two of which one holds the other, and what is left of a whole when its parts are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.judge.spans import Span, patterns
from training.policy import POLICY

DISCLOSURE_THRESHOLD = POLICY.disclosure_threshold
Mask = NDArray[np.bool_]
Facts = dict[str, Any]
Place = tuple[Any, Any]
"""A dict and a key, or a list and a position, where a figure stands."""


def enough(count: float) -> bool:
    """Whether a figure may rest on so many cases."""
    return count >= DISCLOSURE_THRESHOLD


class Disclosure:
    """Figures that are offered for release, all of the same cases. What is withheld becomes None where it stands."""

    def __init__(self, *known: Mask) -> None:
        """`known` are sets of cases whose counts are released in any case, (rows,)."""
        self._sets: list[Mask] = []
        self._named: dict[bytes, int] = {}
        self._known = {self._name(mask) for mask in known}
        self._offers: list[tuple[int, Place, tuple[int, ...]]] = []
        self._parts: list[tuple[int, ...]] = []

    def after(self) -> Disclosure:
        """A further lot of figures about the same cases: what is shown by now is known, what is withheld stays so."""
        further = Disclosure()
        further._sets, further._named = list(self._sets), dict(self._named)
        further._known, further._parts = set(self._known), list(self._parts)
        return further

    def offer(self, place: Place, *gives: Mask, rank: int = 0) -> None:
        """Offers the figure at `place`, which gives back the counts of these sets; a lower rank matters more."""
        self._offers.append((rank, place, tuple(self._name(mask) for mask in gives)))

    def offer_rate(self, place: Place, part: Mask, whole: Mask, *gives: Mask, rank: int = 0) -> None:
        """Offers a share of `whole`: the part, the rest and the whole can be had from it."""
        self.offer(place, part & whole, whole & ~part, whole, *gives, rank=rank)

    def add_up(self, parts: Sequence[Mask]) -> None:
        """Says that these sets make up a whole, so that what is left of it can be had from the others."""
        self._parts.append(tuple(self._name(mask) for mask in parts))

    def settle(self) -> None:
        """Withholds what must not be shown."""
        if not self._offers:
            return
        sets, weights = patterns(np.array(self._sets))
        sizes = sets @ weights
        span = Span(sets, self._guarded(sets, weights, sizes))
        span.take(sorted(self._known))
        for _, place, gives in sorted(self._offers, key=lambda one: (one[0], -min(sizes[list(one[2])]))):
            allowed = all(enough(sizes[one]) for one in gives) and not span.would_give(gives, self._left(gives, sets))
            if allowed:
                span.take(gives)
                self._known |= set(gives)
            else:
                container, key = place
                container[key] = None
        self._offers = []

    def _guarded(
        self, sets: NDArray[np.float64], weights: NDArray[np.float64], sizes: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Small sets, and the small differences of a set and one inside it."""
        both = (sets * weights) @ sets.T
        left = sizes[:, None] - both
        few = (both == sizes[None, :]) & (left > 0) & (left < DISCLOSURE_THRESHOLD)
        outer, inner = np.nonzero(few)
        small = np.flatnonzero((sizes > 0) & (sizes < DISCLOSURE_THRESHOLD))
        return np.unique(np.concatenate([sets[small], sets[outer] - sets[inner]]), axis=0)

    def _left(self, gives: tuple[int, ...], sets: NDArray[np.float64]) -> NDArray[np.float64]:
        """What would be left of each whole whose part is about to be shown: the sum of the parts still withheld."""
        found = [np.zeros((0, sets.shape[1]))]
        for parts in self._parts:
            if set(parts) & set(gives):
                rest = [part for part in parts if part not in self._known and part not in gives]
                union = sets[rest].sum(axis=0, keepdims=True)
                count = sum(float(self._sets[part].sum()) for part in rest)
                found += [union] if 0 < count < DISCLOSURE_THRESHOLD else []
        return np.concatenate(found)

    def _name(self, mask: Mask) -> int:
        key = np.packbits(mask).tobytes()
        if key not in self._named:
            self._named[key] = len(self._sets)
            self._sets.append(np.asarray(mask, dtype=bool))
        return self._named[key]
