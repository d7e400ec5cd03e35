"""How the pairs of two versions of a model differ, in words."""

from __future__ import annotations

from itertools import product

from model.additive import AdditiveModel, Term
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Value
from model.pairs.table import PairTerm

ALIKE = 5e-4
"""Log-odds below which two values are shown as the same; they are printed to three digits."""
Named = tuple[str, str]


def pair_changes(old: AdditiveModel, new: AdditiveModel) -> list[str]:
    """A line for each pair that only one of the two has, or that moved, in the new model's order and then the old's."""
    before, after = _by_name(old), _by_name(new)
    lines = []
    for names, pair in after.items():
        said = " with ".join(new.terms[place].feature.label for place in (pair.first, pair.second))
        if names not in before:
            lines.append(f"{said}: counts together only in the new model")
        elif (moved := _largest_move(old, before[names], new, pair)) > ALIKE:
            lines.append(f"{said}: together moved by up to {moved:.3f} log-odds")
    for names, pair in before.items():
        if names not in after:
            said = " with ".join(old.terms[place].feature.label for place in (pair.first, pair.second))
            lines.append(f"{said}: counts together only in the old model")
    return lines


def _by_name(model: AdditiveModel) -> dict[Named, PairTerm]:
    named = {}
    for pair in model.pairs:
        first, second = sorted((pair.first, pair.second), key=lambda place: model.terms[place].feature.name)
        named[model.terms[first].feature.name, model.terms[second].feature.name] = pair
    return named


def _largest_move(old: AdditiveModel, before: PairTerm, new: AdditiveModel, after: PairTerm) -> float:
    """Over every combination of answers that either version tells apart."""
    sides = [new.terms[place] for place in (after.first, after.second)]
    names = [term.feature.name for term in sides]
    olds = {term.feature.name: term for term in old.terms}
    largest = 0.0
    for answers in product(*(_answers(olds[term.feature.name], term) for term in sides)):
        given = dict(zip(names, answers, strict=True))
        now = after.cells[after.cell(_slots(new, after, given))] - after.mean
        then = before.cells[before.cell(_slots(old, before, given))] - before.mean
        largest = max(largest, abs(now - then))
    return largest


def _slots(model: AdditiveModel, pair: PairTerm, given: dict[str, Value]) -> list[int]:
    slots = [0] * len(model.terms)
    for place in (pair.first, pair.second):
        term = model.terms[place]
        slots[place] = term.slot(given[term.feature.name])
    return slots


def _answers(a: Term, b: Term) -> list[Value]:
    known: list[Value] = [NOT_KNOWN]
    if a.not_applicable is not None and b.not_applicable is not None:
        known.append(NOT_APPLICABLE)
    if a.feature.is_numeric and b.feature.is_numeric:
        edges = sorted({*a.edges, *b.edges}) or [0.0]
        return [*known, edges[0] - 1.0, *edges]
    return [*known, *(level for level in b.feature.levels if level in a.feature.levels)]
