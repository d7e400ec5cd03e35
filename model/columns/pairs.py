"""The pairs of a model over columns of codes: their values, and their halves in the contributions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.columns.codes import FeatureCodes
from model.pairs.table import PairTerm

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
_CODES = 256


@dataclass(frozen=True, slots=True)
class PairColumns:
    """One pair: `rows[code]` and `columns[code]` are the row and column of `grid`; `halves` has the grid's shape."""

    first: int
    second: int
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    grid: Floats
    halves: Floats

    @classmethod
    def of(cls, pair: PairTerm, codes: Sequence[FeatureCodes]) -> PairColumns:
        """The arrays of a pair."""
        rows, columns = (
            by_code(codes[place], groups) for place, groups in zip((pair.first, pair.second), pair.groups, strict=True)
        )
        grid = np.array(pair.values)
        return cls(pair.first, pair.second, rows, columns, grid, np.reshape(pair.halves, grid.shape))

    def value(self, columns: Bytes) -> Floats:
        """The value of each case, (rows,), log-odds."""
        return np.asarray(self.grid[self.rows[columns[self.first]], self.columns[columns[self.second]]])

    def add_halves(self, columns: Bytes, contributions: Floats) -> None:
        """Adds to the contributions, (features, rows), what each of the two features gets of the pair."""
        half = self.halves[self.rows[columns[self.first]], self.columns[columns[self.second]]]
        contributions[self.first] += half
        contributions[self.second] += half

    def along(self, place: int, slot_groups: Sequence[int], columns: Bytes) -> Floats:
        """The value of each case had the feature `place`, one of the two, each group of a list: (groups, rows)."""
        groups = np.array(slot_groups)[:, None]
        if place == self.first:
            return np.asarray(self.grid[groups, self.columns[columns[self.second]]])
        return np.asarray(self.grid[self.rows[columns[self.first]], groups])


def by_code(of: FeatureCodes, by_slot: Sequence[int]) -> NDArray[np.intp]:
    """What a feature has by slot, by code; nothing for a byte that is no code."""
    values = np.zeros(_CODES, dtype=np.intp)
    values[: len(of.slots)] = [by_slot[slot] for slot in of.slots]
    return values
