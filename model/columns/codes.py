"""The answers that a model tells apart, numbered: what lets many cases be screened by tables alone.

A feature of levels has a code a level. A count or number has a code a bin, where the bins of its term are cut once
more wherever a ground compares, so that all values of one code are alike to score, prompt and grounds.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from model.additive import AdditiveModel, Term
from model.condition import Operand, operands
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Feature, Value

MOST_CODES = 255
"""Of one feature: a code is a byte."""


@dataclass(frozen=True, slots=True)
class FeatureCodes:
    """The codes of one feature: `values[code]` stands for all answers of that code, `slots[code]` is their slot.

    `cuts` are the bounds between the codes of a number (rising); the last codes are *not known* and, where the feature
    allows it, *not applicable*.
    """

    feature: Feature
    cuts: tuple[float, ...]
    values: tuple[Value, ...]
    slots: tuple[int, ...]
    states: Mapping[Value, int]

    @property
    def not_known(self) -> int:
        """The code of *not known*."""
        return self.states[NOT_KNOWN]

    def code(self, value: Value) -> int:
        """The code of an admitted value."""
        return self.states[value] if isinstance(value, str) else bisect_right(self.cuts, value)


def codes_of(model: AdditiveModel) -> tuple[FeatureCodes, ...]:
    """The codes of every feature of a model, in the order of its terms.

    Raises `ValueError` where a feature has more than `MOST_CODES`.
    """
    asked = [operand for ground in model.dictionary.grounds for operand in operands(ground.when)]
    return tuple(_codes(term, [o for o in asked if o.feature == term.feature.name]) for term in model.terms)


def _codes(term: Term, asked: list[Operand]) -> FeatureCodes:
    cuts = _cuts(term, asked) if term.feature.is_numeric else ()
    known = _one_of_each_bin(cuts) if term.feature.is_numeric else list[Value](term.feature.levels)
    states = [NOT_KNOWN, *([NOT_APPLICABLE] if term.not_applicable is not None else [])]
    values = (*known, *states)
    if len(values) > MOST_CODES:
        raise ValueError(f"{term.feature.name}: grounds compare it with too many numbers to screen a file of cases")
    named: dict[Value, int] = {value: code for code, value in enumerate(values) if isinstance(value, str)}
    return FeatureCodes(term.feature, cuts, values, tuple(term.slot(value) for value in values), named)


def _cuts(term: Term, asked: list[Operand]) -> tuple[float, ...]:
    cuts = set(term.edges)
    for operand in asked:
        if isinstance(operand.value, float):
            # A bin holds its lower bound: `>= x` and `< x` part at x, `> x` and `<= x` just above it.
            above = operand.comparison in (">", "<=")
            cuts.add(math.nextafter(operand.value, math.inf) if above else operand.value)
    return tuple(sorted(cuts))


def _one_of_each_bin(cuts: tuple[float, ...]) -> list[Value]:
    if not cuts:
        return [0.0]
    assert all(low < high for low, high in pairwise(cuts))
    return [math.nextafter(cuts[0], -math.inf), *cuts]
