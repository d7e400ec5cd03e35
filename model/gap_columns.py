"""The gaps of many cases at once, by columns of codes: how far what is not known could move each score.

The same numbers as `model.gaps` gives for one case, to the last bit: added up in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.additive import AdditiveModel
from model.codes import FeatureCodes
from model.joint_gaps import JointGaps

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
        place = {term.feature.name: j for j, term in enumerate(model.terms)}
        self._by_gain = [
            (place[name], codes[place[name]].not_known, drop, gain) for name, _, drop, gain in model.by_gain
        ]
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


class GapColumnsInPairs:
    """The gaps of a model with pairs: what an answer moves depends on its partners'.

    Where the partners are known, by tables; where they are not known either, as for one case, once for all rows that
    are alike in it.
    """

    def __init__(self, model: AdditiveModel, codes: Sequence[FeatureCodes]) -> None:
        self._model = model
        self._codes = codes
        self._joint = JointGaps(model, codes)

    def find(self, columns: Bytes, margin: Floats) -> GapsByRow:
        """As `GapColumns`."""
        model = self._model
        unknown = np.stack([column == of.not_known for column, of in zip(columns, self._codes, strict=True)])
        drops, gains = np.zeros(len(margin)), np.zeros(unknown.shape)
        total = np.zeros(len(margin))
        for place, rows in enumerate(map(np.flatnonzero, unknown)):
            least, most = self._moved(place, columns[:, rows])
            drops[rows] += least
            gains[place, rows] = most
            total += gains[place]
        with_answers = margin.copy()
        for gain in _largest(gains, model.dictionary.policy.answers):
            with_answers += gain
        found = GapsByRow(
            margin + drops, margin + total, with_answers >= model.threshold, unknown.sum(axis=0, dtype=np.uint16)
        )
        self._joint.put_right(found, columns, unknown, margin)
        return found

    def _moved(self, place: int, columns: Bytes) -> tuple[Floats, Floats]:
        """The least and the most that the answer alone would move each of the rows, in which it is not known."""
        term, now = self._model.terms[place], self._codes[place].slots[self._codes[place].not_known]
        partners = [
            (pair, np.array(self._codes[pair.other(place)].slots)[columns[pair.other(place)]])
            for pair in self._model.pairs
            if place in (pair.first, pair.second)
        ]
        least, most = np.zeros(columns.shape[1]), np.zeros(columns.shape[1])
        for slot, value in enumerate(term.table):
            moved = np.full(columns.shape[1], value - term.table[now])
            for pair, slots in partners:
                rows = np.array(pair.rows_of(place))
                by_group = rows[pair.groups_of(place)[slot]] - rows[pair.groups_of(place)[now]]
                moved += by_group[np.array(pair.groups_of(pair.other(place)))[slots]]
            np.minimum(least, moved, out=least)
            np.maximum(most, moved, out=most)
        return least, most


def _largest(gains: Floats, number: int) -> Floats:
    """The largest `number` of gains of each row, falling, (at most `number`, rows)."""
    number = min(number, len(gains))
    if not number:
        return gains[:0]
    return -np.sort(np.partition(-gains, number - 1, axis=0)[:number], axis=0)
