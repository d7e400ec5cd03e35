"""The table of two features together: what their answers say beyond what each says alone.

`g_jk(x_j, x_k)` in log-odds, a small grid over groups of the two features' slots. It is *purified*: its means over
either feature's training counts are nothing, so whatever one feature says alone stands in that feature's own table.
Then the Shapley value of the pair for either feature, against the training rows, is half of `g - mean`, where `mean`
is over the rows as they were, both answers together (docs/adr/0011).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

Groups = tuple[int, ...]
MOST_PAIRS = 10
MOST_GROUPS = 10
"""Groups of a feature's slots: eight of known answers, *not known* and *not applicable*."""
MOST_CELLS = 4096
"""The largest table that finding a range exactly may need: three features of ten groups, all paired, need 1,000."""


@dataclass(frozen=True, slots=True)
class PairTerm:
    """The table of two features together, in log-odds.

    `first` and `second` are positions of terms, first < second. `groups` gives for each, by slot of its term, the row
    or column of `values`. `counts` are training rows by cell, None where they are withheld. `deviations` are, by cell,
    one a refit. `cells` are the values row by row, and `halves` what a cell adds to the contribution of either feature.
    """

    first: int
    second: int
    groups: tuple[Groups, Groups]
    values: tuple[tuple[float, ...], ...]
    mean: float
    counts: tuple[tuple[int | None, ...], ...] = ()
    deviations: tuple[tuple[tuple[float, ...], ...], ...] = ()
    cells: tuple[float, ...] = field(init=False, repr=False, compare=False)
    halves: tuple[float, ...] = field(init=False, repr=False, compare=False)
    row_starts: Groups = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        cells = tuple(value for row in self.values for value in row)
        width = len(self.values[0])
        object.__setattr__(self, "cells", cells)
        object.__setattr__(self, "halves", tuple(0.5 * (value - self.mean) for value in cells))
        object.__setattr__(self, "row_starts", tuple(row * width for row in self.groups[0]))

    def cell(self, slots: Sequence[int]) -> int:
        """Index into `cells` of a case, given the slot of each term."""
        return self.row_starts[slots[self.first]] + self.groups[1][slots[self.second]]

    def along(self, feature: int, slot: int, slots: Sequence[int]) -> float:
        """The value where `feature`, one of the two, has the slot, and the other that of the case."""
        if feature == self.first:
            return self.cells[self.row_starts[slot] + self.groups[1][slots[self.second]]]
        return self.cells[self.row_starts[slots[self.first]] + self.groups[1][slot]]

    def groups_of(self, feature: int) -> Groups:
        """Row or column by slot of `feature`, one of the two."""
        return self.groups[0 if feature == self.first else 1]

    def other(self, feature: int) -> int:
        """The one of the two that is not `feature`."""
        return self.second if feature == self.first else self.first

    def rows_of(self, feature: int) -> tuple[tuple[float, ...], ...]:
        """The values by group of `feature`, one of the two, then by group of the other."""
        return self.values if feature == self.first else tuple(zip(*self.values, strict=True))


def features_in(pairs: Iterable[PairTerm]) -> tuple[int, ...]:
    """Positions of the features that are in any pair, rising."""
    return tuple(sorted({feature for pair in pairs for feature in (pair.first, pair.second)}))


def base_of(means: Iterable[float], pairs: Sequence[PairTerm]) -> float:
    """Sum of the intercept and the means of all tables: the score of nobody in particular, log-odds."""
    return math.fsum([*means, *(pair.mean for pair in pairs)])


def elimination_order(pairs: Sequence[PairTerm]) -> tuple[tuple[int, ...], int]:
    """The order in which features in pairs are best eliminated, and the cells of the largest table that it needs.

    Always the feature with the fewest partners left; its partners become each other's. What holds for all of them
    holds for any of them, so a case with fewer unknowns needs no larger table.
    """
    sizes = {feature: _classes(feature, pairs) for pair in pairs for feature in (pair.first, pair.second)}
    partners: dict[int, set[int]] = {feature: set() for feature in sizes}
    for pair in pairs:
        partners[pair.first].add(pair.second)
        partners[pair.second].add(pair.first)
    order, largest = [], 0
    while partners:
        next_one = min(partners, key=lambda feature: (len(partners[feature]), feature))
        around = partners.pop(next_one)
        largest = max(largest, sizes[next_one] * math.prod(sizes[feature] for feature in around))
        for feature in around:
            partners[feature] = (partners[feature] | around) - {feature, next_one}
        order.append(next_one)
    return tuple(order), largest


def _classes(feature: int, pairs: Sequence[PairTerm]) -> int:
    """Slots of a feature that no pair tells apart count once."""
    own = [pair.groups_of(feature) for pair in pairs if feature in (pair.first, pair.second)]
    return len(set(zip(*own, strict=True)))
