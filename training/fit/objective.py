"""The logistic loss of an additive table and its gradient, from one-byte codes.

Features are packed into groups: all combinations of codes of a group are at most `MAX_CELLS` cells, so that one
gather and one `bincount` serve several features (seven yes/no features, or two of 34 codes). Sums run over
blocks of `BLOCK_ROWS` rows in order within a chunk of `CHUNK_ROWS`, and over the chunks in order: map-reduce by nature,
and the same floats wherever the chunks are (here, or on other machines: `partitions`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from training.fit.terms import Codes, Floats

BLOCK_ROWS = 16_384  # fits the second-level cache; part of the definition of the sums, so never tuned at run time
CHUNK_ROWS = 16 * BLOCK_ROWS  # also part of the definition of the sums
MAX_CELLS = 4_096
HESSIAN_CELLS = 64  # a group's cells in the Hessian, where groups are crossed: 64 * 64 = MAX_CELLS


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring features that share one joint code; `sizes` are their numbers of codes."""

    first: int
    sizes: tuple[int, ...]

    def cells(self, by_code: Floats, offsets: Codes) -> Floats:
        """Sum of the features' values for every joint code, shape (cells,)."""
        total = np.zeros(1)
        for j, size in enumerate(self.sizes, self.first):
            total = np.add.outer(total, by_code[offsets[j] : offsets[j] + size]).ravel()
        return total

    def by_code(self, cells: Floats) -> Floats:
        """Sums of cells for every feature's code, joined, shape (sum of sizes,)."""
        grid = cells.reshape(self.sizes)
        axes = range(len(self.sizes))
        return np.concatenate([grid.sum(axis=tuple(a for a in axes if a != axis)) for axis in axes])


@dataclass(frozen=True, slots=True)
class Block:
    bytes: NDArray[np.uint8]  # (rows, features)
    codes: NDArray[np.intp]  # joint codes, (groups, rows)
    y: Floats
    weight: Floats


@dataclass(frozen=True, slots=True)
class Layout:
    """What all chunks share: numbers of codes by feature, and how features are packed for so many rows in all."""

    sizes: tuple[int, ...]
    groups: tuple[Group, ...]
    offsets: Codes

    @classmethod
    def of(cls, sizes: Sequence[int], rows: int) -> Layout:
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp)
        return cls(tuple(sizes), tuple(_packed(sizes, min(MAX_CELLS, max(64, rows // 4)))), offsets)

    def cells(self, by_code: Floats) -> list[Floats]:
        """Values of the joint codes of each group."""
        return [group.cells(by_code, self.offsets) for group in self.groups]

    def by_code(self, sums: Sequence[Floats]) -> Floats:
        """Sums of the cells of each group, by single code."""
        parts = [group.by_code(total) for group, total in zip(self.groups, sums, strict=True)]
        return np.concatenate(parts) if parts else np.empty(0)


class Chunk:
    """The sums of `LogisticLoss` over at most `CHUNK_ROWS` rows; each method gives a tuple of things to be added."""

    def __init__(self, layout: Layout, codes: NDArray[np.uint8], y: Floats, weight: Floats) -> None:
        self.layout = layout
        self.y, self.weight = y, weight
        groups = layout.groups
        self.blocks = [
            Block(
                codes[rows],
                np.array([_joint(codes[rows], group) for group in groups]).reshape(len(groups), -1),
                y[rows],
                weight[rows],
            )
            for rows in row_parts(len(y), BLOCK_ROWS)
        ]

    def weights(self) -> tuple[float, float]:
        """Weight of the rows, and of those with the event."""
        return float(np.add.reduce(self.weight)), float(np.add.reduce(self.weight * self.y))

    def weight_by_code(self) -> tuple[Floats]:
        """Weight of the rows with each code."""
        sums = [np.zeros(int(np.prod(group.sizes))) for group in self.layout.groups]
        for block in self.blocks:
            for g, total in enumerate(sums):
                total += np.bincount(block.codes[g], block.weight, minlength=len(total))
        return (self.layout.by_code(sums),)

    def value_and_gradient(self, intercept: float, by_code: Floats) -> tuple[float, float, Floats]:
        """As of `LogisticLoss`, over these rows."""
        cells = self.layout.cells(by_code)
        loss, slope = 0.0, 0.0
        sums = [np.zeros_like(c) for c in cells]
        for block in self.blocks:
            margin = self._margin(block, intercept, cells)
            log_loss, chance = log_loss_and_chance(margin, block.y)
            loss += float(np.add.reduce(block.weight * log_loss))
            residual = block.weight * (chance - block.y)
            slope += float(np.add.reduce(residual))
            for g, total in enumerate(sums):
                total += np.bincount(block.codes[g], residual, minlength=len(total))
        return loss, slope, self.layout.by_code(sums)

    def hessian(self, intercept: float, by_code: Floats) -> tuple[Floats]:
        """As of `LogisticLoss`, over these rows."""
        cells = self.layout.cells(by_code)
        narrow = _packed(self.layout.sizes, HESSIAN_CELLS)
        widths = [int(np.prod(group.sizes)) for group in narrow]
        pairs = [(g, h) for g in range(len(narrow)) for h in range(g + 1)]
        sums = {(g, h): np.zeros(widths[g] * widths[h]) for g, h in pairs if g != h}
        diagonal = [np.zeros(width) for width in widths]
        total = 0.0
        for block in self.blocks:
            chance = expit(self._margin(block, intercept, cells))
            weight = block.weight * chance * (1.0 - chance)
            total += float(np.add.reduce(weight))
            joint = [_joint(block.bytes, group) for group in narrow]
            for g, codes in enumerate(joint):
                diagonal[g] += np.bincount(codes, weight, minlength=widths[g])
                for h in range(g):
                    sums[g, h] += np.bincount(codes * widths[h] + joint[h], weight, minlength=len(sums[g, h]))
        return (self._assembled(narrow, total, diagonal, sums),)

    def _assembled(
        self, groups: list[Group], total: float, diagonal: list[Floats], sums: dict[tuple[int, int], Floats]
    ) -> Floats:
        """Cells of group pairs, summed down to pairs of single codes."""
        offsets = self.layout.offsets
        starts = [int(offsets[group.first]) for group in groups]
        matrix = np.zeros((1 + offsets[-1], 1 + offsets[-1]))
        matrix[0, 0] = total
        indicators = [_indicator(group) for group in groups]
        for g, cells in enumerate(diagonal):
            at = slice(1 + starts[g], 1 + starts[g] + len(indicators[g]))
            matrix[at, at] = (indicators[g] * cells) @ indicators[g].T
            matrix[at, 0] = matrix[0, at] = groups[g].by_code(cells)
            for h in range(g):
                to = slice(1 + starts[h], 1 + starts[h] + len(indicators[h]))
                pair = sums[g, h].reshape(len(cells), -1)
                matrix[at, to] = indicators[g] @ pair @ indicators[h].T
                matrix[to, at] = matrix[at, to].T
        return matrix

    def _margin(self, block: Block, intercept: float, cells: Sequence[Floats]) -> Floats:
        margin = np.full(len(block.y), intercept)
        for g, values in enumerate(cells):
            margin += values[block.codes[g]]
        return margin


class LogisticLoss:
    """Sum over rows of weight * log-loss, as a function of the intercept and the values by code.

    Values by code are one vector: feature j's are at `offsets[j]` to `offsets[j + 1]` of the layout.
    """

    def __init__(self, codes: NDArray[np.uint8], sizes: Sequence[int], y: Floats, weight: Floats) -> None:
        layout = Layout.of(sizes, len(y))
        self._chunks = [Chunk(layout, codes[p], y[p], weight[p]) for p in row_parts(len(y), CHUNK_ROWS)]
        self._weigh()

    def _weigh(self) -> None:
        self.rows, events = self._summed("weights")
        self.event_share = events / self.rows

    def constant_curvature(self) -> tuple[float, Floats]:
        """Diagonal of the Hessian, by intercept and by value, where every row has the average probability."""
        share = self.event_share
        (by_code,) = self._summed("weight_by_code")
        return share * (1.0 - share) * self.rows, share * (1.0 - share) * by_code

    def value_and_gradient(self, intercept: float, by_code: Floats) -> tuple[float, float, Floats]:
        """Loss, its derivative by the intercept, and by each value (shape of `by_code`)."""
        loss, slope, gradient = self._summed("value_and_gradient", intercept, by_code)
        return loss, slope, gradient

    def hessian(self, intercept: float, by_code: Floats) -> Floats:
        """Hessian by intercept (first) and values by code, shape (1 + codes, 1 + codes)."""
        (matrix,) = self._summed("hessian", intercept, by_code)
        return np.asarray(matrix)

    def _summed(self, what: str, *at: Any) -> tuple[Any, ...]:
        return summed(self._of_each_chunk(what, *at))

    def _of_each_chunk(self, what: str, *at: Any) -> Iterator[tuple[Any, ...]]:
        """What a method of `Chunk` gives for each chunk, in order."""
        for chunk in self._chunks:
            yield getattr(chunk, what)(*at)


def summed(tuples: Iterable[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Tuples added place by place, in the order in which they come."""
    numbers = iter(tuples)
    total = next(numbers)
    for each in numbers:
        total = tuple(a + b for a, b in zip(total, each, strict=True))
    return total


def log_loss_and_chance(margin: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Log loss of each row and its probability, from log-odds; one exponential for both, no overflow."""
    tail = np.exp(-np.abs(margin))
    chance = np.where(margin >= 0, 1.0, tail) / (1.0 + tail)
    return np.maximum(margin, 0.0) - y * margin + np.log1p(tail), chance


def _packed(sizes: Sequence[int], max_cells: int) -> list[Group]:
    groups: list[Group] = []
    first, cells = 0, 1
    for j, size in enumerate(sizes):
        if j > first and cells * size > max_cells:
            groups.append(Group(first, tuple(sizes[first:j])))
            first, cells = j, 1
        cells *= size
    if len(sizes):
        groups.append(Group(first, tuple(sizes[first:])))
    return groups


def _indicator(group: Group) -> Floats:
    """Which cells hold which of the group's codes, shape (codes, cells)."""
    cells = np.indices(group.sizes).reshape(len(group.sizes), -1)
    return np.vstack([np.eye(size)[:, cells[axis]] for axis, size in enumerate(group.sizes)])


def _joint(codes: NDArray[np.uint8], group: Group) -> Codes:
    joint = np.zeros(len(codes), dtype=np.intp)
    for j, size in enumerate(group.sizes, group.first):
        joint = joint * size + codes[:, j]
    return joint


def row_parts(rows: int, size: int) -> list[slice]:
    """Rows in parts of `size` in order; the last may be smaller."""
    return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
