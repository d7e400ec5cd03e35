"""The gaps of many cases at once, by columns of codes: how far what is not known could move each score.

The same numbers as `model.gaps` gives for one case, to the last bit: added up in the same order. Models with pairs have
`model.columns.gaps_in_pairs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.additive import AdditiveModel
from model.columns.codes import FeatureCodes

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class GapsByRow:
    """By row: the ends of the range (log-odds), whether as many answers as the policy names could carry the score over
    the threshold, and how many features are not known."""

    lowest: Floats
    highest: Floats
    reachable: Flags
    not_known: NDArray[np.uint16]


class GapColumns:
    """The gaps of a model without pairs: every answer moves a score by itself."""

    def __init__(self, model: AdditiveModel, codes: Sequence[FeatureCodes]) -> None:
        by_gain = model.by_gain
        not_known = [codes[place].not_known for place in by_gain.places]
        self._by_gain = list(zip(by_gain.places, not_known, by_gain.drops, by_gain.gains, strict=True))
        self._answers = model.dictionary.policy.answers
        self._threshold = model.threshold

    def find(self, columns: Bytes, margin: Floats) -> GapsByRow:
        """The gaps of the cases of `columns`, (features, rows), whose log-odds are `margin`."""
        lowest, highest, with_answers = margin.copy(), margin.copy(), margin.copy()
        not_known = np.zeros(len(margin), dtype=np.uint16)
        change = np.empty(len(margin))
        for place, code, drop, gain in self._by_gain:
            unknown = columns[place] == code
            np.multiply(unknown, drop, out=change)
            lowest += change
            np.multiply(unknown, gain, out=change)
            highest += change
            # No gain is below 0, so those beyond the policy's number need only be left out.
            change *= not_known < self._answers
            with_answers += change
            not_known += unknown
        return GapsByRow(lowest, highest, with_answers >= self._threshold, not_known)
