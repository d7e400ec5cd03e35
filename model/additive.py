"""The additive model: a table for each feature, and their sum.

`logit P = intercept + sum of f_j(x_j)`: every `f_j` is a step function over at most 32 bins, plus a value for
*not known* and, where the feature allows it, one for *not applicable*. Everything here is plain Python on one case;
`model.vectorised` does the same over many.
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


@dataclass(frozen=True, slots=True)
class Term:
    """The table of one feature, in log-odds.

    `values[i]` belongs to level i, or, for a count or number, to the i-th bin: bin i holds x with
    `edges[i-1] <= x < edges[i]`. `mean` is the mean over the training rows (the background of the Shapley value).
    `reference` is the bin below whose value *not known* never scores. `counts` are training rows in each bin, None
    where they are fewer than the disclosure threshold.
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
    lowest: float = field(init=False, repr=False, compare=False)
    highest: float = field(init=False, repr=False, compare=False)

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
        object.__setattr__(self, "lowest", min(table))
        object.__setattr__(self, "highest", max(table))

    def slot(self, value: Value) -> int:
        """Index into `table` (known bins, then not known, then not applicable) of a value."""
        if isinstance(value, str):
            return self.slots[value]
        return bisect_right(self.edges, value)


@dataclass(frozen=True, slots=True)
class AdditiveModel:
    """A released model: its terms, and all that is needed to explain and word a screening.

    `threshold` is the margin (log-odds) at and above which the score alone prompts; `bands` are the 19 margins
    that cut the reference population into ventiles. `facts` is what the artefact says of its own making.
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
    base_value: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_value", math.fsum([self.intercept, *(term.mean for term in self.terms)]))

    def slots(self, case: Case) -> list[int]:
        """For each term the index of the case's value in the term's table."""
        values = case.values
        return [term.slot(values[term.feature.name]) for term in self.terms]

    def margin(self, slots: Sequence[int]) -> float:
        """The log-odds of a case, given its slots."""
        return math.fsum([self.intercept, *(term.table[slot] for term, slot in zip(self.terms, slots, strict=True))])

    def spread(self, slots: Sequence[int]) -> float:
        """Standard deviation of the case's log-odds over the bootstrap refits; 0 when the model holds none."""
        rows = [term.deviations[slot] for term, slot in zip(self.terms, slots, strict=True) if term.deviations]
        if not rows:
            return 0.0
        margins = list(map(sum, zip(*rows, strict=True)))
        mean = sum(margins) / len(margins)
        return math.sqrt(sum((margin - mean) ** 2 for margin in margins) / max(len(margins) - 1, 1))


def probability(margin: float) -> float:
    """The logistic function, stable at both ends. Log-odds in, probability (0 to 1) out."""
    if margin >= 0:
        return 1.0 / (1.0 + math.exp(-margin))
    odds = math.exp(margin)
    return odds / (1.0 + odds)
