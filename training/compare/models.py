"""Two models side by side: whose tables moved and, on cases, who would be prompted otherwise, and what moved them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.additive import AdditiveModel, Term
from model.case import Case
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Dictionary, Feature, Value
from model.explanation import explain
from model.gaps import find_gaps
from model.grounds import GroundRules
from model.prompt import LEVELS, decide_prompt
from training.artefact import DISCLOSURE_THRESHOLD

Floats = NDArray[np.float64]

TOP = 3
BASE, THRESHOLD = "(base value)", "(threshold)"
"""What moves every case alike, beside the features."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One feature's table: the answer whose contribution moved most, from where to where (log-odds)."""

    feature: str
    answer: str
    old: float
    new: float

    @property
    def by(self) -> float:
        """How far it moved, with its sign."""
        return self.new - self.old


@dataclass(frozen=True, slots=True)
class Why:
    """For the cases that went from one level to another: how many, and what moved their distance to the threshold.

    `moved`: mean change of (score less threshold) in log-odds by feature, base value or threshold, largest first.
    """

    before: str
    after: str
    cases: int
    moved: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Levels:
    """Cases by level under the old model (rows) and the new (columns), in the order of `model.prompt.LEVELS`.

    None: more than none and fewer than the disclosure threshold, or hidden so that those cannot be worked out.
    """

    cases: int
    table: tuple[tuple[int | None, ...], ...]
    changed: int | None
    why: tuple[Why, ...]


def tables_moved(old: AdditiveModel, new: AdditiveModel) -> list[Moved]:
    """Features in both models by how far a contribution moved at most, largest first; those that did not are left out.

    Numbers are compared at every edge of either table, so that other bins alone do not count as a move.
    """
    before = {term.feature.name: term for term in old.terms}
    pairs = [(before[term.feature.name], term) for term in new.terms if term.feature.name in before]
    moved = [max(_answers(a, b), key=lambda one: abs(one.by)) for a, b in pairs if a.feature.kind == b.feature.kind]
    return sorted((one for one in moved if one.by != 0), key=lambda one: (-abs(one.by), one.feature))


def only_in(one: AdditiveModel, other: AdditiveModel) -> list[str]:
    """Features of one model that the other does not have, or has of another kind."""
    kinds = {term.feature.name: term.feature.kind for term in other.terms}
    return [t.feature.name for t in one.terms if kinds.get(t.feature.name) != t.feature.kind]


def _answers(a: Term, b: Term) -> Iterator[Moved]:
    answers: dict[str, Value] = {NOT_KNOWN: NOT_KNOWN}
    if a.not_applicable is not None and b.not_applicable is not None:
        answers[NOT_APPLICABLE] = NOT_APPLICABLE
    if a.feature.is_numeric:
        edges = sorted({*a.edges, *b.edges}) or [0.0]
        answers |= {f"below {edges[0]:g}": edges[0] - 1.0, **{f"{edge:g} or a little more": edge for edge in edges}}
    else:
        answers |= {level: level for level in b.feature.levels if level in a.feature.levels}
    for said, value in answers.items():
        yield Moved(b.feature.name, said, a.contributions[a.slot(value)], b.contributions[b.slot(value)])


def levels_changed(old: AdditiveModel, new: AdditiveModel, cases: Sequence[Case]) -> Levels:
    """Puts every case to both models by the real prompt rules. `cases` are of the new model's dictionary.

    What the old model does not ask, or does not know as an answer, is not known to it.
    """
    counts: Counter[tuple[int, int]] = Counter()
    sums: dict[tuple[int, int], Floats] = {}
    names = [*(term.feature.name for term in new.terms), *only_in(old, new), BASE, THRESHOLD]
    rules = GroundRules(old.dictionary), GroundRules(new.dictionary)
    for case in cases:
        a, before = _screened(old, rules[0], as_asked(case, old.dictionary))
        b, after = _screened(new, rules[1], case)
        if a != b:
            change = [after.get(name, 0.0) - before.get(name, 0.0) for name in names]
            sums[a, b] = sums.get((a, b), np.zeros(len(names))) + np.array(change)
        counts[a, b] += 1
    size = range(len(LEVELS))
    flat = shown_counts([counts[a, b] for a in size for b in size])
    table = tuple(tuple(flat[a * len(LEVELS) + b] for b in size) for a in size)
    hidden = any(count is None for row in table for count in row)
    return Levels(
        cases=len(cases),
        table=table,
        changed=None if hidden else sum(counts[pair] for pair in sums),
        why=tuple(
            Why(LEVELS[a], LEVELS[b], counts[a, b], _top(names, total / counts[a, b]))
            for (a, b), total in sorted(sums.items(), key=lambda item: (-counts[item[0]], item[0]))
            if table[a][b] is not None
        ),
    )


def _screened(model: AdditiveModel, rules: GroundRules, case: Case) -> tuple[int, Mapping[str, float]]:
    explanation = explain(model, case)
    prompt = decide_prompt(model, case, explanation, find_gaps(model, explanation), rules.find(case))
    parts = {t.feature.name: part for t, part in zip(model.terms, explanation.contributions, strict=True)}
    return LEVELS.index(prompt.level), {**parts, BASE: model.base_value, THRESHOLD: -model.threshold}


def _top(names: Sequence[str], mean: Floats) -> tuple[tuple[str, float], ...]:
    order = np.argsort(-np.abs(mean), kind="stable")[:TOP]
    return tuple((names[place], float(mean[place])) for place in order if mean[place] != 0)


def as_asked(case: Case, dictionary: Dictionary) -> Case:
    """A case as another dictionary would have taken it."""
    return Case.of(
        dictionary,
        {
            f.name: value
            for f in dictionary.features
            if (value := case.values.get(f.name)) is not None and _fits(f, value)
        },
    )


def _fits(feature: Feature, value: Value) -> bool:
    if value == NOT_APPLICABLE:
        return feature.not_applicable
    return feature.is_numeric if not isinstance(value, str) else value == NOT_KNOWN or value in feature.levels


def cases_of(dictionary: Dictionary, X: Floats) -> list[Case]:
    """Encoded rows (rows, features) as the service would have admitted them."""
    features = dictionary.features
    return [Case({f.name: _value(f, code) for f, code in zip(features, row, strict=True)}) for row in X.tolist()]


def _value(feature: Feature, code: float) -> Value:
    if np.isnan(code):
        return NOT_KNOWN
    if np.isinf(code):
        return NOT_APPLICABLE
    return code if feature.is_numeric else feature.levels[int(code)]


def shown_counts(counts: Sequence[int]) -> list[int | None]:
    """Counts of a known total: small ones are None, and with them as many others as keep them from being worked out.

    None of a kind is shown as 0: it is about nobody.
    """
    hidden = [place for place, count in enumerate(counts) if 0 < count < DISCLOSURE_THRESHOLD]
    if hidden:
        rest = sorted((count, place) for place, count in enumerate(counts) if count >= DISCLOSURE_THRESHOLD)
        while rest and (len(hidden) < 2 or sum(counts[place] for place in hidden) < DISCLOSURE_THRESHOLD):
            hidden.append(rest.pop(0)[1])
    return [None if place in hidden else count for place, count in enumerate(counts)]
