"""The additive model: a table for each feature, and their sum.

`logit P = intercept + sum of f_j(x_j)`: every `f_j` is a step function over at most 32 bins, plus a value for
*not known* and, where the feature allows it, one for *not applicable*. Everything here is plain Python on one case;
`model.columns.vectorised` does the same over many. A few pairs of features may have a table together
(`model.pairs.table`), which belongs to both.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import getitem, itemgetter
from types import MappingProxyType
from typing import Any

from model.asking import ask_words
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
    the terms in another order, those first in which an answer could raise a score most. `asks` says by feature whom
    to ask about it. `elimination_order` is that of the features in pairs (`pairs.completions`).
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
    by_gain: ByGain = field(init=False, repr=False, compare=False)
    asks: Mapping[str, str] = field(init=False, repr=False, compare=False)
    refits: Refits = field(init=False, repr=False, compare=False)
    elimination_order: tuple[int, ...] = field(init=False, repr=False, compare=False)
    # What a request needs of each term, side by side, so that one call of a built-in goes over all terms.
    _answers: Callable[[Mapping[str, Value]], tuple[Value, ...]] = field(init=False, repr=False, compare=False)
    _slots: tuple[_Slots, ...] = field(init=False, repr=False, compare=False)
    _tables: tuple[tuple[float, ...], ...] = field(init=False, repr=False, compare=False)
    _contributions: tuple[tuple[float, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        means = (self.intercept, *(term.mean for term in self.terms))
        object.__setattr__(self, "base_value", base_of(means, self.pairs))
        object.__setattr__(self, "by_gain", ByGain(self.terms))
        object.__setattr__(self, "asks", ask_words(self.dictionary, self.words["prompt"]))
        of_pairs = [[cell for row in pair.deviations for cell in row] for pair in self.pairs]
        object.__setattr__(self, "refits", Refits([*(term.deviations for term in self.terms), *of_pairs]))
        object.__setattr__(self, "elimination_order", elimination_order(self.pairs)[0])
        object.__setattr__(self, "_answers", several([term.feature.name for term in self.terms]))
        object.__setattr__(self, "_slots", tuple(_Slots(term) for term in self.terms))
        object.__setattr__(self, "_tables", tuple(term.table for term in self.terms))
        object.__setattr__(self, "_contributions", tuple(term.contributions for term in self.terms))

    def slots(self, case: Case) -> list[int]:
        """For each term the index of the case's value in the term's table."""
        return list(map(getitem, self._slots, self._answers(case.values)))

    def margin(self, slots: Sequence[int]) -> float:
        """The log-odds of a case, given its slots."""
        own = map(getitem, self._tables, slots)
        return math.fsum((self.intercept, *own, *[pair.cells[pair.cell(slots)] for pair in self.pairs]))

    def contributions(self, slots: Sequence[int]) -> list[float]:
        """The exact contribution of each term (log-odds, against the background), given the case's slots.

        That of a pair is split evenly between its two features.
        """
        parts = list(map(getitem, self._contributions, slots))
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


class ByGain:
    """The terms, those first in which an answer could raise a score most, and of each its drop and gain.

    Drops and gains leave the pairs out. All in one order, `places` being the terms' own.
    """

    __slots__ = ("drops", "gains", "not_known", "places", "slots_in_order", "terms")

    def __init__(self, terms: Sequence[Term]) -> None:
        self.places = sorted(range(len(terms)), key=lambda place: -terms[place].gain)
        self.terms = tuple(terms[place] for place in self.places)
        self.drops = tuple(term.drop for term in self.terms)
        self.gains = tuple(term.gain for term in self.terms)
        self.not_known = tuple(len(term.values) for term in self.terms)
        """The slots of *not known*."""
        self.slots_in_order: Callable[[Sequence[int]], tuple[int, ...]] = several(self.places)


class _Slots(dict[Value, int]):
    """The slot of each value of a term. A number that is not in it is looked for among the bins, and not kept."""

    __slots__ = ("_edges",)

    def __init__(self, term: Term) -> None:
        super().__init__(term.slots)
        self._edges = term.edges

    def __missing__(self, value: Value) -> int:
        if isinstance(value, str):
            raise KeyError(value)
        return bisect_right(self._edges, value)


def several(keys: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """As `operator.itemgetter` of several keys, also where there is one or none."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda of: tuple([of[key] for key in keys])


def probability(margin: float) -> float:
    """The logistic function, stable at both ends. Log-odds in, probability (0 to 1) out."""
    if margin >= 0:
        return 1.0 / (1.0 + math.exp(-margin))
    odds = math.exp(margin)
    return odds / (1.0 + odds)


def probabilities(margins: Iterable[float]) -> list[float]:
    """The `probability` of each, by the same operations."""
    exp = math.exp
    return [1.0 / (1.0 + exp(-margin)) if margin >= 0 else (odds := exp(margin)) / (1.0 + odds) for margin in margins]
