"""What a learner is told about a feature (`TermSpec`) and what it gives back (`Table`).

Encoded cases: `X` is float64, shape (rows, features). A level is its index, a count or number is itself,
NaN is *not known*, -inf is *not applicable* (only where the feature allows it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.fit.pair_terms import FittedPair

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

NUMERIC_KINDS = frozenset({"count", "number"})
KINDS = NUMERIC_KINDS | {"yes_no", "ordinal", "category"}
DIRECTIONS = frozenset({"raises", "lowers", "free"})
MAX_BINS = 32


@dataclass(frozen=True, slots=True)
class TermSpec:
    """One feature as the learners see it.

    `reference` is the encoded value (level index, or the number itself) that *not known* may never score below.
    None means the default: for yes_no the lowest-risk level (0, or 1 when `direction` is "lowers"),
    otherwise the bin that holds the most known training rows.
    `levels` is the number of levels (yes_no 2, ordinal and category at most 32), 0 for count and number.
    `floor` False lifts the bound on *not known*, to measure what the promise costs: no dictionary can say it, and
    `compile_table` refuses a table that breaks it.
    """

    name: str
    kind: str  # yes_no | ordinal | count | number | category
    direction: str = "free"  # raises | lowers | free, as the value or level order goes up
    reference: float | None = None
    levels: int = 0
    not_applicable: bool = False
    floor: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.name}: kind {self.kind!r} is not one of {sorted(KINDS)}")
        if self.direction not in DIRECTIONS:
            raise ValueError(f"{self.name}: direction {self.direction!r} is not one of {sorted(DIRECTIONS)}")
        if self.kind == "category" and self.direction != "free":
            raise ValueError(f"{self.name}: a category has no order, so its direction must be 'free'")
        if not self.numeric and not (2 if self.kind == "yes_no" else 1) <= self.levels <= MAX_BINS:
            raise ValueError(f"{self.name}: {self.levels} levels; a {self.kind} has 1 to {MAX_BINS} (yes_no: 2)")
        if self.kind == "yes_no" and self.levels != 2:
            raise ValueError(f"{self.name}: a yes_no has 2 levels, not {self.levels}")

    @property
    def numeric(self) -> bool:
        """True for count and number: values are binned; otherwise the level index is the bin."""
        return self.kind in NUMERIC_KINDS

    @property
    def sign(self) -> int:
        """+1 raises, -1 lowers, 0 free."""
        return {"raises": 1, "lowers": -1, "free": 0}[self.direction]


@dataclass(frozen=True, slots=True)
class FittedTerm:
    """One step function in log-odds: known bins, then the not-known and not-applicable levels.

    A count or number v falls in bin `bisect_right(edges, v)`; otherwise the bin is the level index.
    `not_applicable` is None where the feature does not allow it. `reference_bin` is the bin that the
    not-known promise is stated against. Counts are training rows.
    """

    spec: TermSpec
    edges: tuple[float, ...]
    values: tuple[float, ...]
    not_known: float
    not_applicable: float | None
    reference_bin: int
    counts: tuple[int, ...]
    count_not_known: int
    count_not_applicable: int

    @property
    def name(self) -> str:
        return self.spec.name

    def codes(self, column: ArrayLike) -> Codes:
        """Bin of each value: 0..k-1 known, k not known, k+1 not applicable. Raises ValueError off the levels."""
        return encode_column(self.spec, np.asarray(self.edges), len(self.values), np.asarray(column, dtype=float))

    def by_code(self) -> Floats:
        """Values indexed by code, shape (k + 2,); not applicable is 0 where the feature does not allow it."""
        return np.array([*self.values, self.not_known, self.not_applicable or 0.0])

    def counts_by_code(self) -> Codes:
        """Training rows by code, shape (k + 2,)."""
        return np.array([*self.counts, self.count_not_known, self.count_not_applicable], dtype=np.intp)

    def mean(self) -> float:
        """Mean over the training rows, from the bin counts."""
        counts = self.counts_by_code()
        return float(np.add.reduce(counts * self.by_code()) / max(int(counts.sum()), 1))


@dataclass(frozen=True, slots=True)
class Table:
    """An additive model in log-odds: `margin = intercept + sum of terms (+ sum of pairs)`. Immutable."""

    intercept: float
    terms: tuple[FittedTerm, ...]
    pairs: tuple[FittedPair, ...] = ()

    def values(self, X: ArrayLike) -> Floats:
        """f_j(x_j) for every row and feature, shape (rows, features), log-odds, without the pairs."""
        X = self._checked(X)
        out = np.empty(X.shape)
        for j, term in enumerate(self.terms):
            out[:, j] = term.by_code()[term.codes(X[:, j])]
        return out

    def margin(self, X: ArrayLike) -> Floats:
        """Log-odds of each row, shape (rows,); terms are added in order, as the service does, then the pairs."""
        X = self._checked(X)
        margin = np.full(len(X), self.intercept)
        for j, term in enumerate(self.terms):
            margin += term.by_code()[term.codes(X[:, j])]
        for pair in self.pairs:
            margin += pair.of_codes(*self._codes_of(pair, X))
        return margin

    def background_mean(self, X: ArrayLike | None = None) -> Floats:
        """Mean of each term over background rows `X`; over the training rows (bin counts) when None."""
        if X is None:
            return np.array([term.mean() for term in self.terms])
        return np.asarray(self.values(X).mean(axis=0))

    def contributions(self, X: ArrayLike, background: ArrayLike | None = None) -> Floats:
        """Exact Shapley values against background rows, or the training rows where None: (rows, features), log-odds.

        f_j(x_j) - mean_j, exact as each term is of one feature (Lundberg and Lee 2017, section 2.4: linear SHAP, term
        by term), and the split of each pair (`FittedPair.split`; against the training rows the table is `purified`).
        """
        X = self._checked(X)
        values = self.values(X) - self.background_mean(background)
        for pair in self.pairs:
            behind = None if background is None else self._codes_of(pair, self._checked(background))
            first, second = pair.split(*self._codes_of(pair, X), behind)
            values[:, pair.first] += first
            values[:, pair.second] += second
        return values

    def _codes_of(self, pair: FittedPair, X: Floats) -> tuple[Codes, Codes]:
        first, second = (self.terms[j].codes(X[:, j]) for j in (pair.first, pair.second))
        return first, second

    def _checked(self, X: ArrayLike) -> Floats:
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != len(self.terms):
            raise ValueError(f"X has shape {X.shape}; expected (rows, {len(self.terms)})")
        return X


def encode_column(spec: TermSpec, edges: Floats, bins: int, column: Floats) -> Codes:
    """Codes of one encoded column, shape (rows,): 0..bins-1 known, bins not known, bins+1 not applicable.

    Raises ValueError for +inf, for -inf where the feature has no not-applicable level, and for a level
    that is not an integer in 0..bins-1.
    """
    not_known = np.isnan(column)
    infinite = np.isinf(column)
    not_applicable = infinite & (column < 0)
    if np.any(infinite & ~not_applicable) or (not spec.not_applicable and np.any(not_applicable)):
        raise ValueError(
            f"{spec.name}: infinity is not a value; -inf means not applicable and needs the feature's leave"
        )
    known = np.where(not_known | infinite, 0.0, column)
    if spec.numeric:
        codes = np.searchsorted(edges, known, side="right").astype(np.intp)
    else:
        codes = known.astype(np.intp)
        if np.any(codes != known) or np.any((codes < 0) | (codes >= bins)):
            raise ValueError(f"{spec.name}: level indices must be whole numbers from 0 to {bins - 1}")
    codes[not_known] = bins
    codes[not_applicable] = bins + 1
    return codes


def combine(tables: Sequence[Table], weights: Sequence[float]) -> Table:
    """Weighted sum of tables in log-odds (weights need not sum to one), each over the *same* bins.

    Raises ValueError when the tables' bins differ, and for tables with pairs, whose groups need not be the same.
    """
    first = tables[0]
    if any(len(t.terms) != len(first.terms) for t in tables):
        raise ValueError("tables over different features cannot be combined")
    if any(t.pairs for t in tables):
        raise ValueError("tables with pairs cannot be combined")
    terms = tuple(_combine_terms([t.terms[j] for t in tables], weights) for j in range(len(first.terms)))
    return Table(_dot([t.intercept for t in tables], weights), terms)


def _combine_terms(parts: Sequence[FittedTerm], weights: Sequence[float]) -> FittedTerm:
    first = parts[0]
    if any(part.edges != first.edges or len(part.values) != len(first.values) for part in parts):
        raise ValueError(f"{first.name}: bins differ between the tables to combine")
    values = _dot_rows([part.by_code() for part in parts], weights)
    return with_values(first, values)


def with_values(term: FittedTerm, by_code: Floats) -> FittedTerm:
    """The same term with other values, given by code (shape (k + 2,))."""
    *values, not_known, not_applicable = (float(v) for v in by_code)
    return FittedTerm(
        term.spec,
        term.edges,
        tuple(values),
        not_known,
        not_applicable if term.spec.not_applicable else None,
        term.reference_bin,
        term.counts,
        term.count_not_known,
        term.count_not_applicable,
    )


def centred(table: Table) -> Table:
    """The same function with every term's training mean moved into the intercept."""
    means = [term.mean() for term in table.terms]
    intercept = table.intercept
    for mean in means:
        intercept += mean
    terms = tuple(with_values(term, term.by_code() - mean) for term, mean in zip(table.terms, means, strict=True))
    return Table(intercept, terms, table.pairs)


def purified(table: Table) -> Table:
    """The same function, centred, with what one feature of a pair says alone moved out of the pair into its term."""
    intercept, pairs = table.intercept, []
    values = [term.by_code() for term in table.terms]
    for pair in table.pairs:
        pure, by_row, by_column, constant = pair.purified()
        values[pair.first] = values[pair.first] + by_row[np.array(pair.groups[0])]
        values[pair.second] = values[pair.second] + by_column[np.array(pair.groups[1])]
        intercept -= constant
        pairs.append(pure)
    terms = tuple(with_values(term, by_code) for term, by_code in zip(table.terms, values, strict=True))
    return centred(Table(intercept, terms, tuple(pairs)))


def _dot(values: Sequence[float], weights: Sequence[float]) -> float:
    total = 0.0
    for value, weight in zip(values, weights, strict=True):
        total += weight * value
    return total


def _dot_rows(rows: Sequence[Floats], weights: Sequence[float]) -> Floats:
    total = np.zeros_like(rows[0])
    for row, weight in zip(rows, weights, strict=True):
        total += weight * row
    return total
