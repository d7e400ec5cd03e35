"""The table of two features together, as it is fitted: a small grid over groups of their codes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Groups = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FittedPair:
    """One grid in log-odds. `first` and `second` are positions of features, first < second.

    `groups` gives for each feature, by code (known bins, not known, not applicable), the row or column of `values`.
    `counts` are training rows by cell.
    """

    first: int
    second: int
    groups: tuple[Groups, Groups]
    values: tuple[tuple[float, ...], ...]
    counts: tuple[tuple[int, ...], ...]

    def grid(self) -> Floats:
        """The values as an array, shape (rows, columns)."""
        return np.array(self.values)

    def of_codes(self, first: NDArray[np.integer], second: NDArray[np.integer]) -> Floats:
        """The value of each case, shape (cases,), from its codes of the two features."""
        rows, columns = (np.array(groups) for groups in self.groups)
        return np.asarray(self.grid()[rows[first], columns[second]])

    def with_grid(self, grid: Floats) -> FittedPair:
        """The same pair with other values."""
        return replace(self, values=tuple(tuple(float(value) for value in row) for row in grid))

    def shares(self) -> Floats:
        """Share of the training rows in each cell, shape (rows, columns)."""
        counts = np.array(self.counts, dtype=np.float64)
        return np.asarray(counts / max(float(counts.sum()), 1.0))

    def mean(self) -> float:
        """Mean over the training rows, both answers together."""
        return float(np.add.reduce((self.shares() * self.grid()).ravel()))

    def purified(self) -> tuple[FittedPair, Floats, Floats, float]:
        """The pair without what either feature says alone: its means over either one's training counts are nothing.

        Also what was taken out: by row group, by column group, and the constant that both hold (to be subtracted).
        """
        grid, shares = self.grid(), self.shares()
        rows, columns = shares.sum(axis=1), shares.sum(axis=0)
        by_row, by_column = grid @ columns, rows @ grid
        constant = float(rows @ by_row)
        return self.with_grid(grid - by_row[:, None] - by_column[None, :] + constant), by_row, by_column, constant

    def split(self, first: Codes, second: Codes, behind: tuple[Codes, Codes] | None) -> tuple[Floats, Floats]:
        """Its exact part in the Shapley values of the first and of the second feature, each (cases,).

        Against the training rows (`behind` None) the pair must be purified, and each gets half of g - mean. Against
        other rows b, given by their codes: half of g(x, y) - E g(b, b) + E g(x, b) - E g(b, y), and its mirror.
        """
        if behind is None:
            half = 0.5 * (self.of_codes(first, second) - self.mean())
            return half, half
        grid, rows, columns = self.grid(), np.array(self.groups[0]), np.array(self.groups[1])
        of_row = grid[:, columns[behind[1]]].mean(axis=1)[rows[first]]
        of_column = grid[rows[behind[0]]].mean(axis=0)[columns[second]]
        both = self.of_codes(first, second) - self.of_codes(*behind).mean()
        return 0.5 * (both + of_row - of_column), 0.5 * (both + of_column - of_row)
