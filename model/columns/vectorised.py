"""The same model over many cases at once. The only place in `model/` that uses numpy; never on the request path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.additive import AdditiveModel, Term
from model.pairs.table import PairTerm

Floats = NDArray[np.float64]
Slots = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class PairTable:
    """A `PairTerm` as arrays: `values[rows[slot of first], columns[slot of second]]`."""

    first: int
    second: int
    rows: Slots
    columns: Slots
    values: Floats
    mean: float

    @classmethod
    def of(cls, pair: PairTerm) -> PairTable:
        """The arrays of a pair."""
        rows, columns = (np.array(groups, dtype=np.intp) for groups in pair.groups)
        return cls(pair.first, pair.second, rows, columns, np.array(pair.values), pair.mean)

    def of_slots(self, slots: Slots) -> Floats:
        """The value of each row, (rows,)."""
        return np.asarray(self.values[self.rows[slots[:, self.first]], self.columns[slots[:, self.second]]])

    def halves(self, slots: Slots, background: Slots | None) -> tuple[Floats, Floats]:
        """What each row's contributions of the first and of the second feature get, each (rows,).

        Against the training rows (`background` None) the two are the same, as the table is purified of them. Against
        other rows b: half of g(x, y) - E g(b, b) + E g(x, b) - E g(b, y), and the mirror of it.
        """
        if background is None:
            half = 0.5 * (self.of_slots(slots) - self.mean)
            return half, half
        rows, columns = self.rows[slots[:, self.first]], self.columns[slots[:, self.second]]
        of_row = self.values[:, self.columns[background[:, self.second]]].mean(axis=1)[rows]
        of_column = self.values[self.rows[background[:, self.first]]].mean(axis=0)[columns]
        both = self.values[rows, columns] - self.of_slots(background).mean()
        return 0.5 * (both + of_row - of_column), 0.5 * (both + of_column - of_row)


@dataclass(frozen=True, slots=True)
class VectorisedModel:
    """The tables of an `AdditiveModel` as arrays.

    Rows are slots (as `AdditiveModel.slots` gives for one case), integers, shape (rows, terms); results are log-odds.
    """

    tables: tuple[Floats, ...]
    means: Floats
    intercept: float
    base_value: float
    pairs: tuple[PairTable, ...] = ()

    @classmethod
    def of(cls, model: AdditiveModel) -> VectorisedModel:
        """The arrays of a model."""
        return cls(
            tables=tuple(np.array(term.table) for term in model.terms),
            means=np.array([term.mean for term in model.terms]),
            intercept=model.intercept,
            base_value=model.base_value,
            pairs=tuple(PairTable.of(pair) for pair in model.pairs),
        )

    def terms(self, slots: Slots) -> Floats:
        """f_j(x_j) for each row and term, (rows, terms), without the pairs."""
        values = np.empty(slots.shape)
        for j, table in enumerate(self.tables):
            values[:, j] = table[slots[:, j]]
        return values

    def margin(self, slots: Slots) -> Floats:
        """Log-odds of each row, (rows,)."""
        margin = self.intercept + self.terms(slots).sum(axis=1)
        for pair in self.pairs:
            margin += pair.of_slots(slots)
        return np.asarray(margin)

    def contributions(self, slots: Slots, background: Slots | None = None) -> Floats:
        """Exact Shapley values of each row, (rows, terms), against rows of slots; None: against the training rows."""
        values = self.terms(slots) - (self.means if background is None else self.terms(background).mean(axis=0))
        for pair in self.pairs:
            first, second = pair.halves(slots, background)
            values[:, pair.first] += first
            values[:, pair.second] += second
        return values


def slots_of(term: Term, encoded: Floats) -> Slots:
    """Slots of one column of encoded values, (rows,): level index or number; NaN not known; -inf not applicable."""
    known = len(term.values)
    slots = np.full(len(encoded), known, dtype=np.intp)
    finite = np.isfinite(encoded)
    if term.feature.is_numeric:
        slots[finite] = np.searchsorted(np.array(term.edges), encoded[finite], side="right")
    else:
        slots[finite] = encoded[finite].astype(np.intp)
    slots[np.isneginf(encoded)] = known + 1
    return slots
