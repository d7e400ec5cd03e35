"""How far the bootstrap refits of a model spread on one case.

Every slot of every table holds one deviation a refit (log-odds: that refit's value less the table's). A case's margin
under each refit is a sum over its slots, and only the standard deviation of those sums is wanted. So the deviations
of a slot lie side by side in one whole number, 64 bits a refit, in units of 2^-40 log-odds: adding forty such numbers
adds all refits at once, where adding their eight hundred floats cost a third of a whole explanation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import getitem
from struct import Struct

UNIT = 2.0**40
"""Deviations are kept to 2^-40, about 1e-12 log-odds: the spread is right to 1e-11, and is shown as a range."""
LARGEST_DEVIATION = 2.0**15
"""Log-odds. Beyond it, sums over 256 features would no longer fit; a deviation of 10 is absurd already."""
MOST_TERMS = 256
_LANE_BITS = 64


class Refits:
    """The deviations of all slots of all terms, packed."""

    def __init__(self, deviations: Sequence[Sequence[Sequence[float]]]) -> None:
        """`deviations[term][slot][refit]`; terms without any (an empty sequence) do not spread.

        Raises `ValueError` where slots hold different numbers of refits, or a deviation is beyond `LARGEST_DEVIATION`.
        """
        counts = {len(slot) for term in deviations for slot in term}
        if len(counts) > 1 or len(deviations) > MOST_TERMS:
            raise ValueError("each slot must hold one deviation a refit")
        self._count = counts.pop() if counts else 0
        self._lanes = [[_packed(slot) for slot in term] for term in deviations if term]
        spreading = [place for place, term in enumerate(deviations) if term]
        self._spreading = None if len(spreading) == len(deviations) else spreading
        self._signs = sum(1 << (_LANE_BITS * lane + _LANE_BITS - 1) for lane in range(self._count))
        self._struct = Struct(f"<{self._count}q")

    def spread(self, slots: Sequence[int]) -> float:
        """Standard deviation of a case's log-odds over the refits, given the slot of each term; 0 without refits."""
        if not self._count:
            return 0.0
        if self._spreading is not None:
            slots = [slots[place] for place in self._spreading]
        total = sum(map(getitem, self._lanes, slots))
        # A negative lane borrowed from the next one up; this gives each its own two's complement back.
        raw = ((total + self._signs) ^ self._signs).to_bytes(self._struct.size, "little")
        margins = self._struct.unpack(raw)
        mean = sum(margins) / self._count
        return math.dist(margins, [mean] * self._count) / UNIT / math.sqrt(max(self._count - 1, 1))


def _packed(slot: Sequence[float]) -> int:
    if not all(abs(deviation) <= LARGEST_DEVIATION for deviation in slot):
        raise ValueError(f"a deviation is beyond {LARGEST_DEVIATION:g} log-odds")
    return sum(round(deviation * UNIT) << (_LANE_BITS * lane) for lane, deviation in enumerate(slot))
