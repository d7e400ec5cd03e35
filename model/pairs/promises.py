"""Whether the pairs of a model may be served: their shape, and the promises over every combination of answers.

What is promised is the *total* of a feature: its own table and all its pairs, whatever the partners' answers are. A
step of the total is smallest where each pair's part of it is, and the partners' answers are free of one another; so
the smallest step is a sum of minima, and no combination has to be tried. Fractions keep the comparison exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from model.additive import AdditiveModel, Term
from model.pairs.table import MOST_CELLS, MOST_GROUPS, MOST_PAIRS, Groups, PairTerm, elimination_order


def pair_problems(terms: Sequence[Term], pairs: Sequence[PairTerm]) -> list[str]:
    """What is wrong with the shape of pairs, in words; empty when nothing is."""
    problems = [
        f"pair {terms[pair.first].feature.name}, {terms[pair.second].feature.name}: {problem}"
        for pair in pairs
        if (problem := _shape_problem(terms, pair))
    ]
    if len({(pair.first, pair.second) for pair in pairs}) != len(pairs) or len(pairs) > MOST_PAIRS:
        problems.append(f"pairs: at most {MOST_PAIRS}, none of them twice")
    if not problems and elimination_order(pairs)[1] > MOST_CELLS:
        problems.append("pairs: too many share features with one another for exact ranges; leave some out")
    return problems


def _shape_problem(terms: Sequence[Term], pair: PairTerm) -> str | None:
    rows, columns = len(pair.values), len(pair.values[0])
    if pair.first >= pair.second:
        return "features must stand in the dictionary's order"
    for place, groups, size in ((pair.first, pair.groups[0], rows), (pair.second, pair.groups[1], columns)):
        if problem := _groups_problem(terms[place], groups, size):
            return problem
    if any(len(row) != columns for row in (*pair.values, *pair.counts, *pair.deviations)):
        return "every row must have the same length"
    if any(given and len(given) != rows for given in (pair.counts, pair.deviations)):
        return "counts and deviations must have a row for each row of values"
    spreads = [refits for row in pair.deviations for refits in row]
    if not all(map(math.isfinite, [pair.mean, *pair.cells, *(d for refits in spreads for d in refits)])):
        return "every value must be a finite number"
    return None


def _groups_problem(term: Term, groups: Groups, size: int) -> str | None:
    name, not_known = term.feature.name, len(term.values)
    if len(groups) != len(term.table) or sorted(set(groups)) != list(range(size)):
        return f"groups of {name} must give each slot a row or column, and each of those a slot"
    if size > MOST_GROUPS:
        return f"{name} has more than {MOST_GROUPS} groups"
    if groups.count(groups[not_known]) > 1:
        return f"not known of {name} must be a group of its own"
    return None


def pair_promises_broken(model: AdditiveModel) -> list[str]:
    """Every place where a feature with its pairs breaks a promise under some answers of its partners, in words."""
    broken = []
    for place, term in enumerate(model.terms):
        pairs = [pair for pair in model.pairs if place in (pair.first, pair.second)]
        if not pairs:
            continue
        name, known = term.feature.name, len(term.values)
        if _smallest_step(place, term, pairs, term.reference, known, 1) < 0:
            broken.append(f"term {name} with its pairs: not known scores below its reference")
        sign = {"raises": 1, "lowers": -1}.get(term.feature.direction, 0)
        steps = pairwise(range(known)) if sign else ()
        if any(_smallest_step(place, term, pairs, before, after, sign) < 0 for before, after in steps):
            broken.append(f"term {name} with its pairs: does not keep its direction ({term.feature.direction})")
    return broken


def _smallest_step(place: int, term: Term, pairs: Sequence[PairTerm], before: int, after: int, sign: int) -> Fraction:
    """The least that the total rises (falls, where `sign` is -1) between two slots, over all answers of partners."""
    step = sign * (Fraction(term.table[after]) - Fraction(term.table[before]))
    for pair in pairs:
        groups, rows = pair.groups_of(place), pair.rows_of(place)
        if groups[before] != groups[after]:
            low, high = rows[groups[before]], rows[groups[after]]
            step += min(sign * (Fraction(b) - Fraction(a)) for a, b in zip(low, high, strict=True))
    return step
