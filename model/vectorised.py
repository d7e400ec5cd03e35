"""The same model over many cases at once. The only place in `model/` that uses numpy; never on the request path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.additive import AdditiveModel, Term

Floats = NDArray[np.float64]
Slots = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class VectorisedModel:
    """The tables of an `AdditiveModel` as arrays.

    Rows are slots (as `AdditiveModel.slots` gives for one case), integers, shape (rows, terms); results are log-odds.
    """

    tables: tuple[Floats, ...]
    means: Floats
    intercept: float
    base_value: float

    @classmethod
    def of(cls, model: AdditiveModel) -> VectorisedModel:
        """The arrays of a model."""
        return cls(
            tables=tuple(np.array(term.table) for term in model.terms),
            means=np.array([term.mean for term in model.terms]),
            intercept=model.intercept,
            base_value=model.base_value,
        )

    def terms(self, slots: Slots) -> Floats:
        """f_j(x_j) for each row and term, (rows, terms)."""
        values = np.empty(slots.shape)
        for j, table in enumerate(self.tables):
            values[:, j] = table[slots[:, j]]
        return values

    def margin(self, slots: Slots) -> Floats:
        """Log-odds of each row, (rows,)."""
        return np.asarray(self.intercept + self.terms(slots).sum(axis=1))

    def contributions(self, slots: Slots) -> Floats:
        """Exact Shapley values of each row against the training rows, (rows, terms)."""
        return self.terms(slots) - self.means


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
