"""Finds features that stand in for a column that may not be scored: nearly the same, under other names for its answers.

The measure is what of the uncertainty about one column is left once the other is known: the conditional entropy over
the entropy. A copy with a few rows changed leaves nearly nothing of the column; a copy whose levels were merged is
itself told by the column. Chance and rarity look alike, so answers that few cases gave count as one, and of each
family one case is looked at: brothers and sisters share a postcode and much else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.dictionary import Feature
from model.tokens import number
from training.cases.identifiers import column_identifier
from training.cases.leakage import Leak, least_apart, partition, slots
from training.policy import DataPolicy

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

SAMPLE = 50_000
"""Families that are looked at: more make no difference."""
FINE, COARSE = 100, 10
"""Bins of numbers in what tells, and in what is told: a small slip in a number must not hide that it is the same."""


@dataclass(frozen=True, slots=True)
class Sides:
    """A column as what tells (`fine`, rare answers as one) and as what is told (`coarse`); None where it cannot be."""

    fine: Codes
    coarse: Codes | None


class StandIns:
    """The columns of a file that may not be scored, to be compared with one feature after the other."""

    def __init__(
        self, frame: pd.DataFrame, forbidden: Mapping[str, str], families: NDArray[np.int64] | None, policy: DataPolicy
    ) -> None:
        """`forbidden`: how each of those columns is called (`excluded`, `monitored`)."""
        rows = np.arange(len(frame))
        if families is not None:
            rows = np.unique(families, return_index=True)[1]
        self._rows = np.sort(rows)[:: max(1, len(rows) // SAMPLE)]
        self._policy, self._roles = policy, forbidden
        self._columns: dict[str, Sides] = {}
        for name in forbidden:
            cells = frame[name].iloc[self._rows].str.strip()
            # A date is left out as an identifier, and tells an age or a month as it should.
            if column_identifier(name, [str(token) for token in cells.drop_duplicates()]) != "a date":
                self._columns[name] = self._sides(*_codes(cells))

    def of(self, feature: Feature, codes: Floats) -> Iterator[Leak]:
        """What a feature stands in for. `codes` as in `CaseFile.X`, (rows,)."""
        mine = self._sides(codes[self._rows], feature.is_numeric)
        for name, theirs in self._columns.items():
            told = _left(theirs.coarse, mine.fine)
            follows = _left(mine.coarse, theirs.fine)
            most = self._policy.proxy_uncertainty
            if min(told, follows) <= most:
                left, how = (told, "gives away") if told <= most else (follows, "follows from")
                yield Leak(
                    feature.file_column,
                    f"nearly {how} column {name}, which is {self._roles[name]} "
                    f"({left:.0%} of the uncertainty is left, {most:.0%} or less is refused)",
                )

    def _sides(self, codes: Floats, numbers: bool) -> Sides:
        fewest = self._policy.disclosure_threshold
        levels = len(codes) + 1  # bins enough for every level to be its own
        coarse = partition(slots(codes, COARSE if numbers else levels).astype(float))
        return Sides(
            fine=_rare_as_one(slots(codes, FINE if numbers else levels), fewest),
            coarse=coarse if coarse is not None and least_apart(coarse) >= fewest else None,
        )


def _codes(cells: pd.Series) -> tuple[Floats, bool]:
    """Numbers as they are, or a number a level, and which of the two. What is no number in a column of them is NaN."""
    known, tokens = pd.factorize(cells)
    numbers = [number(str(token)) for token in tokens]
    if sum(found is not None for found in numbers) > len(tokens) / 2:
        values: Floats = np.array([np.nan if found is None else found for found in numbers], dtype=np.float64)
        return values[known], True
    return np.asarray(known, dtype=np.float64), False


def _rare_as_one(codes: Codes, fewest: int) -> Codes:
    counts = np.bincount(codes)
    return np.where(counts[codes] < fewest, 0, codes + 1)


def _left(told: Codes | None, by: Codes) -> float:
    """The share of the entropy of `told` that is left once `by` is known; 1 where `told` is nearly constant."""
    if told is None:
        return 1.0
    both = np.unique(by * (told.max() + 1) + told, return_counts=True)[1]
    return (_entropy(both) - _entropy(np.bincount(by))) / _entropy(np.bincount(told))


def _entropy(counts: NDArray[np.intp]) -> float:
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())
