"""From encoded values to small integer codes, the same for every learner.

Known bins are 0..k-1, not known is k, not applicable is k + 1; so a feature has k + 2 codes, k at most 32.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from training.fit.terms import MAX_BINS, Codes, FittedTerm, Floats, TermSpec, encode_column
from training.policy import POLICY

SMALLEST_BIN = POLICY.disclosure_threshold  # rows; an edge between fewer would describe single cases

Distinct = tuple[Floats, Codes]


class Binner:
    """Fits bins on encoded rows and turns rows into codes. Deterministic; looks at X only, never at outcomes.

    After `fit`: `edges_` (per feature, empty unless count or number), `bins_` (known bins per feature),
    `reference_bins_`, `counts_` (training rows by code, each of shape (k + 2,)).
    """

    def __init__(self, specs: Sequence[TermSpec], max_bins: int = MAX_BINS, smallest_bin: int = SMALLEST_BIN) -> None:
        if not 2 <= max_bins <= MAX_BINS:
            raise ValueError(f"max_bins must be from 2 to {MAX_BINS}, not {max_bins}")
        self.specs = tuple(specs)
        self.max_bins = max_bins
        self.smallest_bin = smallest_bin

    def fit(self, X: Floats) -> Binner:
        """Bins from encoded rows X, shape (rows, features). Raises ValueError for values off the levels."""
        self.set_edges([distinct(X[:, j]) if spec.numeric else None for j, spec in enumerate(self.specs)])
        return self.set_counts(self.counts_of(self.transform(X)))

    def set_edges(self, numbers: Sequence[Distinct | None]) -> None:
        """The first half of `fit`: edges from each numeric feature's `distinct`, None for the others."""
        self.edges_ = tuple(
            np.empty(0) if found is None else edges_between(*found, self.max_bins, self.smallest_bin)
            for found in numbers
        )
        self.bins_ = tuple(
            len(edges) + 1 if spec.numeric else spec.levels for spec, edges in zip(self.specs, self.edges_, strict=True)
        )

    def counts_of(self, codes: NDArray[np.uint8]) -> list[Codes]:
        """Rows by code of each feature, each of shape (k + 2,)."""
        return [np.bincount(codes[:, j], minlength=bins + 2) for j, bins in enumerate(self.bins_)]

    def set_counts(self, counts: Sequence[Codes]) -> Binner:
        """The second half of `fit`: the training rows by code."""
        self.counts_ = tuple(counts)
        self.reference_bins_ = tuple(self._reference_bin(j) for j in range(len(self.specs)))
        return self

    def transform(self, X: Floats) -> NDArray[np.uint8]:
        """Codes of encoded rows, uint8, shape (rows, features), one byte a value, columns contiguous."""
        codes = np.empty(X.shape, dtype=np.uint8, order="F")
        for j, spec in enumerate(self.specs):
            codes[:, j] = encode_column(spec, self.edges_[j], self.bins_[j], X[:, j])
        return codes

    def term(self, j: int, by_code: Floats) -> FittedTerm:
        """Feature j's fitted term from its values by code, shape (k + 2,)."""
        spec = self.specs[j]
        *values, not_known, not_applicable = (float(v) for v in by_code)
        *counts, count_not_known, count_not_applicable = (int(c) for c in self.counts_[j])
        return FittedTerm(
            spec,
            tuple(float(e) for e in self.edges_[j]),
            tuple(values),
            not_known,
            not_applicable if spec.not_applicable else None,
            self.reference_bins_[j],
            tuple(counts),
            count_not_known,
            count_not_applicable,
        )

    def _reference_bin(self, j: int) -> int:
        spec = self.specs[j]
        if spec.reference is not None:
            reference = np.array([spec.reference])
            if not np.isfinite(reference[0]):
                raise ValueError(f"{spec.name}: the reference must be a known value")
            return int(encode_column(spec, self.edges_[j], self.bins_[j], reference)[0])
        if spec.kind == "yes_no":
            return 1 if spec.direction == "lowers" else 0
        return int(np.argmax(self.counts_[j][: self.bins_[j]]))


def distinct(column: Floats) -> Distinct:
    """The known numbers of a column, rising, and how often each is there."""
    values, counts = np.unique(column[np.isfinite(column)], return_counts=True)
    return values, counts


def bin_edges(column: Floats, max_bins: int, smallest_bin: int) -> Floats:
    """`edges_between` the numbers of one column."""
    return edges_between(*distinct(column), max_bins, smallest_bin)


def edges_between(values: Floats, counts: Codes, max_bins: int, smallest_bin: int) -> Floats:
    """Edges of at most `max_bins` bins with about equal rows, at least `smallest_bin` each; often-met
    values keep a bin of their own. An edge is the midpoint between two distinct training values."""
    if len(values) < 2:
        return np.empty(0)
    rows_up_to = np.concatenate([[0], np.cumsum(counts)])
    cuts = _cuts(rows_up_to, max_bins, smallest_bin)
    low, high = values[cuts - 1], values[cuts]
    middle = low / 2 + high / 2
    return np.where((low < middle) & (middle <= high), middle, high)


def _cuts(rows_up_to: Codes, max_bins: int, smallest_bin: int) -> Codes:
    """Indices of the distinct values at which a new bin starts; `rows_up_to[i]` is the rows before value i."""
    distinct, total = len(rows_up_to) - 1, int(rows_up_to[-1])
    cuts: list[int] = []
    start = 0
    while len(cuts) < max_bins - 1:
        bins_left = max_bins - len(cuts)
        fair_share = 0.0 if distinct - start <= bins_left else (total - rows_up_to[start]) / bins_left
        end = _bin_end(rows_up_to, start, max(fair_share, smallest_bin), smallest_bin)
        if end >= distinct or total - rows_up_to[end] < smallest_bin:
            break
        cuts.append(end)
        start = end
    return np.array(cuts, dtype=np.intp)


def _bin_end(rows_up_to: Codes, start: int, target: float, smallest_bin: int) -> int:
    """One past the last distinct value of the bin that starts at `start` and should hold `target` rows."""
    end = int(np.searchsorted(rows_up_to, rows_up_to[start] + target))
    if end >= len(rows_up_to) or end - 1 <= start:
        return end
    rows, rows_without_last = rows_up_to[end] - rows_up_to[start], rows_up_to[end - 1] - rows_up_to[start]
    nearer_without = rows - target > target - rows_without_last
    return end - 1 if nearer_without and rows_without_last >= smallest_bin else end
