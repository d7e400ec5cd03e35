"""What the promises ask of a feature's table together with its pairs, as steps that must not fall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from training.fit.basis import between_its_levels
from training.fit.pair_terms import FittedPair, Floats
from training.fit.terms import FittedTerm, Table


class Step(NamedTuple):
    """`sign * (value at code after - value at code before)` must be at least 0, whatever a pair's other answer is."""

    promise: str  # "monotone" | "not_known"
    before: int
    after: int
    sign: int


def steps(term: FittedTerm) -> list[Step]:
    """Every step that the promises ask of a feature."""
    known, sign = len(term.values), term.spec.sign
    asked = [Step("monotone", code, code + 1, sign) for code in range(known - 1)] if sign else []
    if term.spec.floor:
        asked.append(Step("not_known", term.reference_bin, known, 1))
    if between_its_levels(term.spec, term.reference_bin):
        asked.append(Step("monotone", known, 1 - term.reference_bin, 1))
    return asked


def of_own_table(term: FittedTerm, step: Step) -> float:
    """The step in the feature's own table, log-odds."""
    by_code = term.by_code()
    return float(step.sign * (by_code[step.after] - by_code[step.before]))


def of_pair(pair: FittedPair, feature: int, step: Step) -> Floats:
    """The step in a pair of the feature, for each group of the other feature, log-odds."""
    grid = pair.grid() if feature == pair.first else pair.grid().T
    groups = pair.groups[0 if feature == pair.first else 1]
    return np.asarray(step.sign * (grid[groups[step.after]] - grid[groups[step.before]]))


def smallest(table: Table, feature: int, step: Step, pairs: Sequence[FittedPair] | None = None) -> float:
    """The least that the total of a feature moves at a step, over all answers of its partners, log-odds."""
    total = of_own_table(table.terms[feature], step)
    for pair in table.pairs if pairs is None else pairs:
        if feature in (pair.first, pair.second):
            total += float(of_pair(pair, feature, step).min())
    return total
