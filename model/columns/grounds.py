"""The grounds of many cases at once: which are met, and which hang on few answers, by tables of answers seen before."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.columns.codes import FeatureCodes
from model.condition import answers_that_meet, operands
from model.dictionary import NOT_KNOWN, Dictionary, Ground, Value

NOT_MET, UNDECIDED, MET = 0, 1, 2
_NOT_ASKED = 255
_LARGEST_TABLE = 1 << 22

Bytes = NDArray[np.uint8]


class GroundColumns:
    """The grounds of a dictionary over columns of codes; `model.grounds.GroundRules` is the same for one case."""

    def __init__(self, dictionary: Dictionary, codes: Sequence[FeatureCodes]) -> None:
        limit = dictionary.policy.ground_answers
        self._grounds = [_GroundTable(ground, codes, limit) for ground in dictionary.grounds]

    def find(self, columns: Bytes) -> Bytes:
        """For each ground and case `NOT_MET`, `UNDECIDED` or `MET`, (grounds, rows); `columns` are (features, rows)."""
        found = np.empty((len(self._grounds), columns.shape[1]), dtype=np.uint8)
        for row, ground in zip(found, self._grounds, strict=True):
            row[:] = ground.find(columns)
        return found


class _GroundTable:
    """One ground. Answers that all its operands take alike share a class; a combination of classes has one outcome."""

    def __init__(self, ground: Ground, codes: Sequence[FeatureCodes], limit: int) -> None:
        self._ground = ground
        self._limit = limit
        asked = operands(ground.when)
        names = {operand.feature for operand in asked}
        self._places = [place for place, of in enumerate(codes) if of.feature.name in names]
        self._names = [codes[place].feature.name for place in self._places]
        self._classes: list[NDArray[np.int64]] = []
        self._samples: list[list[Value]] = []
        for place in self._places:
            own = [operand for operand in asked if operand.feature == codes[place].feature.name]
            seen: dict[tuple[object, ...], int] = {}
            samples: list[Value] = []
            of_code = np.zeros(256, dtype=np.int64)
            for code, value in enumerate(codes[place].values):
                alike = (value == NOT_KNOWN, *(operand.decide({operand.feature: value}) for operand in own))
                if alike not in seen:
                    seen[alike] = len(samples)
                    samples.append(value)
                of_code[code] = seen[alike]
            self._classes.append(of_code)
            self._samples.append(samples)
        combinations = math.prod(map(len, self._samples))
        self._table = np.full(combinations, _NOT_ASKED, dtype=np.uint8) if combinations <= _LARGEST_TABLE else None

    def find(self, columns: Bytes) -> Bytes:
        keys = np.zeros(columns.shape[1], dtype=np.int64)
        for place, classes, samples in zip(self._places, self._classes, self._samples, strict=True):
            keys *= len(samples)
            keys += np.take(classes, columns[place])
        if self._table is None:
            distinct, back = np.unique(keys, return_inverse=True)
            return np.array([self._decide(int(key)) for key in distinct], dtype=np.uint8)[back]
        found = np.take(self._table, keys)
        new = keys[found == _NOT_ASKED]
        if new.size:
            for key in np.unique(new):
                self._table[key] = self._decide(int(key))
            found = np.take(self._table, keys)
        return found

    def _decide(self, key: int) -> int:
        values: dict[str, Value] = {}
        for name, samples in zip(reversed(self._names), reversed(self._samples), strict=True):
            key, chosen = divmod(key, len(samples))
            values[name] = samples[chosen]
        answers = answers_that_meet(self._ground.when, values)
        if answers is None:
            return NOT_MET
        return MET if not answers else UNDECIDED if len(answers) <= self._limit else NOT_MET
