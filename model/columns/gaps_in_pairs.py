"""`model.pairs.gaps` over columns of codes, bit for bit.

A feature that is not known and has no such partner is free of the others: what its answers move is a table over its
slots for each row. Those that hang together are looked up: rows that are alike in them and in their partners are one
pattern, and each pattern is worked out once, as for one case.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.additive import AdditiveModel
from model.case import Case
from model.columns.codes import FeatureCodes
from model.columns.exact_sum import exact_sum
from model.columns.gaps import GapsByRow
from model.columns.pairs import Bytes, Floats, PairColumns, by_code
from model.explanation import explain
from model.gaps import fewest_answers, find_gaps
from model.pairs.gaps import joint_by_answers, joint_parts, moves_of

Flags = NDArray[np.bool_]
_NEAR = 1e-9
"""Log-odds from the threshold within which sums in another order could decide otherwise: there one case is asked."""
_MOST_REMEMBERED = 1 << 16


@dataclass(frozen=True, slots=True)
class _Together:
    """What answers that hang together come to, a row each: least and most by lot, most by how many are answered."""

    least: tuple[float, ...]
    most: tuple[float, ...]
    by_answers: tuple[float, ...]


class GapsInPairColumns:
    """The gaps of a model with pairs, over columns."""

    def __init__(self, model: AdditiveModel, codes: tuple[FeatureCodes, ...], pairs: tuple[PairColumns, ...]) -> None:
        self._model, self._codes, self._pairs = model, codes, pairs
        self._most_answers = min(model.dictionary.policy.answers, len(model.terms))
        self._paired = sorted({place for pair in pairs for place in (pair.first, pair.second)})
        self._classes = [by_code(codes[place], _classes(model, place)).astype(np.uint8) for place in self._paired]
        self._remembered: dict[bytes, _Together] = {}

    def find(self, columns: Bytes, margin: Floats) -> GapsByRow:
        """The gaps of the cases of `columns`, (features, rows), with the margins (rows,)."""
        unknown = np.array([column == of.not_known for column, of in zip(columns, self._codes, strict=True)])
        joint = self._joint(unknown)
        drops, gains = self._free(columns, unknown & ~joint)
        rows, found, pattern = self._together(columns, joint)
        lots = max((len(one.most) for one in found), default=0)
        least, most = (_spread(len(margin), lots, rows, pattern, [getattr(o, end) for o in found]) for end in _ENDS)
        reach = margin + self._with_answers(gains, rows, found, pattern)
        few = reach >= self._model.threshold
        for row in np.flatnonzero(np.abs(reach - self._model.threshold) <= _NEAR * np.maximum(np.abs(reach), 1.0)):
            few[row] = self._few_of_one(columns[:, row])
        lowest, highest = exact_sum(0.0, [margin, *drops, *least]), exact_sum(0.0, [margin, *gains, *most])
        return GapsByRow(lowest, highest, few, unknown.sum(axis=0, dtype=np.uint16))

    def _joint(self, unknown: Flags) -> Flags:
        """Which features are not known together with a partner that is not known either, (features, rows)."""
        joint = np.zeros_like(unknown)
        for pair in self._pairs:
            both = unknown[pair.first] & unknown[pair.second]
            joint[pair.first] |= both
            joint[pair.second] |= both
        return joint

    def _free(self, columns: Bytes, free: Flags) -> tuple[Floats, Floats]:
        """The least and the most that the answer to each free feature moves, (features, rows); 0 where it is not."""
        drops, gains = np.zeros(free.shape), np.zeros(free.shape)
        for place, term in enumerate(self._model.terms):
            if place not in self._paired:
                drops[place], gains[place] = free[place] * term.drop, free[place] * term.gain
                continue
            rows = np.flatnonzero(free[place])
            moved = self._moved(place, columns[:, rows])
            drops[place, rows], gains[place, rows] = moved.min(axis=0), moved.max(axis=0)
        return drops, gains

    def _moved(self, place: int, columns: Bytes) -> Floats:
        """What each answer to a feature that is not known would move alone, (slots, rows)."""
        table = np.array(self._model.terms[place].table)
        slot = self._codes[place].slots[self._codes[place].not_known]
        moved = np.repeat((table - table[slot])[:, None], columns.shape[1], axis=1)
        for term, pair in zip(self._model.pairs, self._pairs, strict=True):
            if place in (pair.first, pair.second):
                moved += pair.along(place, term.groups_of(place), columns) - pair.value(columns)
        return moved

    def _together(self, columns: Bytes, joint: Flags) -> tuple[NDArray[np.intp], list[_Together], NDArray[np.intp]]:
        """The rows with features that hang together, the patterns they show, and which of these each row shows."""
        rows = np.flatnonzero(joint[self._paired].any(axis=0))
        columns, joint = columns[:, rows], joint[:, rows]
        counts = joint.copy()  # the features that a pattern speaks of
        for pair in self._pairs:
            counts[pair.first] |= joint[pair.second]
            counts[pair.second] |= joint[pair.first]
        shown = np.empty((len(rows), len(self._paired)), dtype=np.uint8)
        for number, (place, classes) in enumerate(zip(self._paired, self._classes, strict=True)):
            shown[:, number] = np.where(counts[place], classes[columns[place]] + np.uint8(1), np.uint8(0))
        keys, first, pattern = np.unique(
            shown.view(f"S{len(self._paired)}")[:, 0], return_index=True, return_inverse=True
        )
        found = [self._one(key, columns[:, row], joint[:, row]) for key, row in zip(keys.tolist(), first, strict=True)]
        return rows, found, pattern

    def _one(self, key: bytes, codes: Bytes, joint: Flags) -> _Together:
        if key not in self._remembered:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            slots = [of.slots[code] for of, code in zip(self._codes, codes.tolist(), strict=True)]
            found = moves_of(self._model, np.flatnonzero(joint).tolist(), slots)
            by_answers = [-np.inf] * (self._most_answers + 1)
            for answers, (gain, _) in joint_by_answers(found).items():
                if answers <= self._most_answers:
                    by_answers[answers] = gain
            least, most = joint_parts(found, min), joint_parts(found, max)
            self._remembered[key] = _Together(tuple(least), tuple(most), tuple(by_answers))
        return self._remembered[key]

    def _with_answers(
        self, gains: Floats, rows: NDArray[np.intp], found: list[_Together], pattern: NDArray[np.intp]
    ) -> Floats:
        """The most that at most the policy's number of answers could move, (rows,), but for the order of the sum."""
        free = np.zeros((self._most_answers + 1, gains.shape[1]))
        np.cumsum(-np.sort(-gains, axis=0)[: self._most_answers], axis=0, out=free[1:])
        reach = free[-1].copy()
        if found:
            joint = np.array([one.by_answers for one in found])[pattern].T
            reach[rows] = (joint + free[::-1, rows]).max(axis=0)
        return np.asarray(reach)

    def _few_of_one(self, codes: Bytes) -> bool:
        model = self._model
        answers = {of.feature.name: of.values[code] for of, code in zip(self._codes, codes.tolist(), strict=True)}
        case = Case(answers)
        explanation = explain(model, case)
        fewest = fewest_answers(model, explanation, find_gaps(model, explanation))
        return fewest is not None and len(fewest) <= model.dictionary.policy.answers


_ENDS = ("least", "most")


def _spread(
    rows: int, lots: int, shown_by: NDArray[np.intp], pattern: NDArray[np.intp], ends: list[tuple[float, ...]]
) -> Floats:
    """The ends of each pattern's lots for the rows that show it, (lots, rows); 0 elsewhere."""
    spread = np.zeros((lots, rows))
    if lots:
        spread[:, shown_by] = np.array([[*of, *[0.0] * (lots - len(of))] for of in ends])[pattern].T
    return spread


def _classes(model: AdditiveModel, place: int) -> list[int]:
    """By slot of a feature in pairs: slots that no pair tells apart have the same number."""
    told = list(zip(*(p.groups_of(place) for p in model.pairs if place in (p.first, p.second)), strict=True))
    names = sorted(set(told))
    return [names.index(one) for one in told]
