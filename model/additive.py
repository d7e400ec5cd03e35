"""The additive model: a table for each feature, and their sum.

`logit P = intercept + sum of f_j(x_j)`: every `f_j` is a step function over at most 32 bins, plus a value for
*not known* and, where the feature allows it, one for *not applicable*. Everything here is plain Python on one case;
`model.columns.vectorised` does the same over many. A few pairs of features may have a table together
(`model.pairs.table`), which belongs to both.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from model.case import Case
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Dictionary, Feature, Value
from model.pairs.table import PairTerm, base_of, elimination_order
from model.refits import Refits


@dataclass(frozen=True, slots=True)
class Term:
    """The table of one feature, in log-odds.

    `values[i]` belongs to level i, or, for a count or number, to the i-th bin: bin i holds x with
    `edges[i-1] <= x < edges[i]`. `mean` is the mean over the training rows (the background of the Shapley value).
    `reference` is the bin below whose value *not known* never scores. `counts` are training rows in each bin, None
    where they are fewer than the disclosure threshold.

    `table` is the values, then *not known*, then *not applicable*; `contributions` is the table less the mean. `drop`
    (at most 0) and `gain` (at least 0) are the most that an answer could move a case in which the feature is not known.
    """

    feature: Feature
    edges: tuple[float, ...]
    values: tuple[float, ...]
    not_known: float
    not_applicable: float | None
    mean: float
    reference: int = 0
    counts: tuple[int | None, ...] = ()
    deviations: tuple[tuple[float, ...], ...] = ()
    slots: Mapping[Value, int] = field(init=False, repr=False, compare=False)
    table: tuple[float, ...] = field(init=False, repr=False, compare=False)
    contributions: tuple[float, ...] = field(init=False, repr=False, compare=False)
    drop: float = field(init=False, repr=False, compare=False)
    gain: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        known = len(self.values)
        slots: dict[Value, int] = dict(zip(self.feature.levels, range(known), strict=False))
        slots[NOT_KNOWN] = known
        table = [*self.values, self.not_known]
        if self.not_applicable is not None:
            slots[NOT_APPLICABLE] = known + 1
            table.append(self.not_applicable)
        object.__setattr__(self, "slots", MappingProxyType(slots))
        object.__setattr__(self, "table", tuple(table))
        object.__setattr__(self, "contributions", tuple(value - self.mean for value in table))
        object.__setattr__(self, "drop", min(table) - self.not_known)
        object.__setattr__(self, "gain", max(table) - self.not_known)

    def slot(self, value: Value) -> int:
        """Index into `table` of a value."""
        if isinstance(value, str):
            return self.slots[value]
        return bisect_right(self.edges, value)


@dataclass(frozen=True, slots=True)
class AdditiveModel:
    """A released model: its terms, and all that is needed to explain and word a screening.

    `threshold` is the margin (log-odds) at and above which the score alone prompts; `bands` are the 19 margins
    that cut the reference population into ventiles. `facts` is what the artefact says of its own making. `by_gain` is
    the terms as (feature's name, term, drop, gain), those first in which an answer could raise a score most; their
    drops and gains leave the pairs out. `elimination_order` is that of the features in pairs (`pairs.completions`).
    """

    name: str
    version: str
    synthetic: bool
    dictionary: Dictionary
    words: Mapping[str, Any]
    intercept: float
    terms: tuple[Term, ...]
    threshold: float
    bands: tuple[float, ...]
    facts: Mapping[str, Any]
    pairs: tuple[PairTerm, ...] = ()
    base_value: float = field(init=False)
    by_gain: tuple[tuple[str, Term, float, float], ...] = field(init=False, repr=False, compare=False)
    refits: Refits = field(init=False, repr=False, compare=False)
    elimination_order: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _lookups: tuple[tuple[str, dict[Value, int], tuple[float, ...]], ...] = field(init=False, repr=False, compare=False)
    _tables: tuple[tuple[float, ...], ...] = field(init=False, repr=False, compare=False)
    _contributions: tuple[tuple[float, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        means = (self.intercept, *(term.mean for term in self.terms))
        object.__setattr__(self, "base_value", base_of(means, self.pairs))
        by_gain = sorted(self.terms, key=lambda term: -term.gain)
        named = tuple((term.feature.name, term, term.drop, term.gain) for term in by_gain)
        object.__setattr__(self, "by_gain", named)
        of_pairs = [[cell for row in pair.deviations for cell in row] for pair in self.pairs]
        object.__setattr__(self, "refits", Refits([*(term.deviations for term in self.terms), *of_pairs]))
        object.__setattr__(self, "elimination_order", elimination_order(self.pairs)[0])
        # What a request needs of each term, side by side: attributes cost more than the lookups themselves.
        lookups = tuple((term.feature.name, dict(term.slots), term.edges) for term in self.terms)
        object.__setattr__(self, "_lookups", lookups)
        object.__setattr__(self, "_tables", tuple(term.table for term in self.terms))
        object.__setattr__(self, "_contributions", tuple(term.contributions for term in self.terms))

    def slots(self, case: Case) -> list[int]:
        """For each term the index of the case's value in the term's table."""
        values = case.values
        return [
            slots[value] if isinstance(value := values[name], str) else bisect_right(edges, value)
            for name, slots, edges in self._lookups
        ]

    def margin(self, slots: Sequence[int]) -> float:
        """The log-odds of a case, given its slots."""
        own = [table[slot] for table, slot in zip(self._tables, slots, strict=True)]
        return math.fsum([self.intercept, *own, *[pair.cells[pair.cell(slots)] for pair in self.pairs]])

    def contributions(self, slots: Sequence[int]) -> list[float]:
        """The exact contribution of each term (log-odds, against the background), given the case's slots.

        That of a pair is split evenly between its two features.
        """
        parts = [contributions[slot] for contributions, slot in zip(self._contributions, slots, strict=True)]
        for pair in self.pairs:
            half = pair.halves[pair.cell(slots)]
            parts[pair.first] += half
            parts[pair.second] += half
        return parts

    def spread(self, slots: Sequence[int]) -> float:
        """Standard deviation of a case's log-odds over the refits, given its slots; 0 without refits."""
        if not self.pairs:
            return self.refits.spread(slots)
        return self.refits.spread([*slots, *[pair.cell(slots) for pair in self.pairs]])


def probability(margin: float) -> float:
    """The logistic function, stable at both ends. Log-odds in, probability (0 to 1) out."""
    if margin >= 0:
        return 1.0 / (1.0 + math.exp(-margin))
    odds = math.exp(margin)
    return odds / (1.0 + odds)
