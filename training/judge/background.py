"""A background for the judge that holds no case: values drawn bin by bin from the training counts (DESIGN 12.5)."""

from __future__ import annotations

import numpy as np

from training.fit.terms import FittedTerm, Floats, Table


def resampled_background(table: Table, rows: int, seed: int) -> Floats:
    """Encoded rows (rows, features), each feature drawn on its own by its training counts; NaN is not known."""
    rng = np.random.default_rng(seed)
    drawn = np.empty((rows, len(table.terms)))
    for j, term in enumerate(table.terms):
        counts = term.counts_by_code()
        codes = rng.choice(len(counts), size=rows, p=counts / counts.sum())
        drawn[:, j] = _values(term)[codes]
    return drawn


def _values(term: FittedTerm) -> Floats:
    """One encoded value for each code: a level's index, or a number that lies in the bin."""
    known = [term.edges[0] - 1.0, *term.edges] if term.edges else [float(code) for code in range(len(term.values))]
    return np.array([*known, np.nan, -np.inf])
