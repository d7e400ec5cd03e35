"""The gaps of many cases in which both features of a pair are not known: their answers are chosen together.

`model.gaps_in_pairs` does so for one case. All rows that are alike in what is not known, and in the partners' answers,
share its result, which is remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.additive import AdditiveModel
from model.case import Case
from model.codes import FeatureCodes
from model.dictionary import NOT_KNOWN
from model.gaps_in_pairs import extremes, highest_by_answers, moves

if TYPE_CHECKING:
    from model.gap_columns import GapsByRow

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
REMEMBERED = 100_000
"""Kinds of rows kept in mind, about 300 bytes each."""


class _Moved(NamedTuple):
    """Log-odds: the ends of what all answers could move, and the most that so few as the policy names could."""

    drop: float
    gain: float
    few: tuple[float, ...]


class JointGaps:
    """What is put right in rows whose unknown answers hang together."""

    def __init__(self, model: AdditiveModel, codes: Sequence[FeatureCodes]) -> None:
        self._model = model
        self._codes = codes
        self._kinds = np.stack([_kind_by_code(model, place, of) for place, of in enumerate(codes)])
        self._remembered: dict[bytes, _Moved] = {}

    def put_right(self, found: GapsByRow, columns: Bytes, unknown: NDArray[np.bool_], margin: Floats) -> None:
        """Writes the gaps of such rows into `found`."""
        joint = np.zeros(columns.shape[1], dtype=bool)
        for pair in self._model.pairs:
            joint |= unknown[pair.first] & unknown[pair.second]
        rows = np.flatnonzero(joint)
        if not len(rows):
            return
        kinds = np.take_along_axis(self._kinds, columns[:, rows].astype(np.intp), axis=1).T
        _, first, of_row = np.unique(kinds, axis=0, return_index=True, return_inverse=True)
        threshold = self._model.threshold
        by_kind = [self._moved(kinds[one].tobytes(), columns[:, rows[one]]) for one in first]
        for row, kind in zip(rows, of_row.reshape(-1), strict=True):
            at, moved = float(margin[row]), by_kind[kind]
            found.lowest[row], found.highest[row] = at + moved.drop, at + moved.gain
            enough = at + moved.gain >= threshold and any(at + gain >= threshold for gain in moved.few)
            found.reachable[row] = at >= threshold or enough

    def _moved(self, kind: bytes, codes: Bytes) -> _Moved:
        if kind not in self._remembered:
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[kind] = self._looked_at(codes)
        return self._remembered[kind]

    def _looked_at(self, codes: Bytes) -> _Moved:
        both = list(zip(self._codes, map(int, codes), strict=True))
        case = Case({of.feature.name: of.values[code] for of, code in both})
        found = moves(self._model, case, [of.slots[code] for of, code in both])
        most = self._model.dictionary.policy.answers
        few = tuple(gain for number, (gain, _) in highest_by_answers(found).items() if number <= most)
        return _Moved(*extremes(found), few)


def _kind_by_code(model: AdditiveModel, place: int, of: FeatureCodes) -> Bytes:
    """A number a code, (256,), the same for codes that no gap of such a row tells apart."""
    own = [pair.groups_of(place) for pair in model.pairs if place in (pair.first, pair.second)]
    told = [
        (value == NOT_KNOWN, *[groups[slot] for groups in own]) for value, slot in zip(of.values, of.slots, strict=True)
    ]
    numbers = {one: number for number, one in enumerate(dict.fromkeys(told))}
    kinds = np.zeros(256, dtype=np.uint8)
    kinds[: len(told)] = [numbers[one] for one in told]
    return kinds
