"""Puts together what several agencies know of one case, and says what that changed.

Two rules keep *not known is never safe* true when answers are pooled. A reassuring answer counts only from an agency
that may hold the record (`held_by`): nobody else can know that something is absent. And where agencies differ, the
riskier answer counts, or, where the feature has no direction, none does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from model.additive import AdditiveModel, Term
from model.case import Case
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Value
from model.grounds import GroundRules
from model.pairs.pooling import riskier_levels
from model.prompt import LEVELS, Prompt
from model.view import View, view

if TYPE_CHECKING:
    from model.kernel import Kernel

MOST_FACTS = 2
"""Facts that are tried together for whether they made the difference: 42 known ones are 903 tries."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one agency knows: values already admitted, by feature; None and an absent one are not known."""

    agency: str
    features: Mapping[str, Value | None]

    def known(self, name: str) -> Value | None:
        """The value of a feature where it is known."""
        value = self.features.get(name)
        return None if value == NOT_KNOWN else value


@dataclass(frozen=True, slots=True)
class Conflict:
    """Agencies that gave different known values; `counted` is the one that counts, or `not_known`."""

    feature: str
    given: tuple[tuple[str, Value], ...]
    counted: Value


@dataclass(frozen=True, slots=True)
class NotCounted:
    """A reassuring answer from an agency that does not hold the record: it counts as not known."""

    feature: str
    agency: str
    value: Value


@dataclass(frozen=True, slots=True)
class PooledCase:
    """The case that the agencies' answers make together. `sources` names who gave each value that counts."""

    case: Case
    sources: Mapping[str, tuple[str, ...]]
    conflicts: tuple[Conflict, ...]
    not_counted: tuple[NotCounted, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What pooling changed: whether the level rose above every agency's own, and the facts without which it would not.

    With `each`, every one of the facts made the difference by itself; otherwise they did so together. `facts` is empty
    where the level did not rise, and where no set of at most `MOST_FACTS` facts made the difference.
    `grounds` are the codes of those met by the pooled case and by no agency's own.
    """

    rose: bool
    facts: tuple[str, ...]
    each: bool
    grounds: tuple[str, ...]


def pool(model: AdditiveModel, observations: Sequence[Observation]) -> PooledCase:
    """The pooled case. The order of the agencies does not matter to its values."""
    given = [_given(term.feature.name, observations) for term in model.terms]
    counting = [
        [(agency, value) for agency, value in theirs if _counts(term, agency, value)]
        for term, theirs in zip(model.terms, given, strict=True)
    ]
    counted = _counted_in_pairs(model, [{value for _, value in theirs} for theirs in counting])
    values: dict[str, Value] = {}
    sources: dict[str, tuple[str, ...]] = {}
    conflicts: list[Conflict] = []
    not_counted: list[NotCounted] = []
    for term, said, theirs, value in zip(model.terms, given, counting, counted, strict=True):
        name = term.feature.name
        not_counted += [NotCounted(name, *one) for one in said if one not in theirs]
        if len({value for _, value in said}) > 1:
            conflicts.append(Conflict(name, tuple(said), value))
        values[name] = value
        if value != NOT_KNOWN:
            sources[name] = tuple(agency for agency, one in theirs if one == value)
    return PooledCase(Case(values), sources, tuple(conflicts), tuple(not_counted))


def _given(name: str, observations: Sequence[Observation]) -> list[tuple[str, Value]]:
    return [(one.agency, value) for one in observations if (value := one.known(name)) is not None]


def _counted_in_pairs(model: AdditiveModel, given: Sequence[set[Value]]) -> list[Value]:
    """The value of each feature that counts among those given. Where a pair decides, features are taken together."""
    counted = [_counted(term, list(values)) for term, values in zip(model.terms, given, strict=True)]
    either: dict[int, tuple[Value, Value]] = {}
    for place in model.elimination_order:
        term, values = model.terms[place], given[place]
        if term.feature.direction != "free" and NOT_APPLICABLE in values and len(values) > 1:
            either[place] = _counted(term, [value for value in values if value != NOT_APPLICABLE]), NOT_APPLICABLE
    if either:
        slots = [term.slot(value) for term, value in zip(model.terms, counted, strict=True)]
        settled = {place: slot for place, slot in enumerate(slots) if place not in either}
        open_slots = {
            place: (model.terms[place].slot(level), model.terms[place].slot(state))
            for place, (level, state) in either.items()
        }
        levels = riskier_levels(model, settled, open_slots)
        for place, (level, state) in either.items():
            counted[place] = level if place in levels else state
    return counted


def difference(
    model: AdditiveModel, rules: GroundRules, together: View, alone: Iterable[View], kernel: Kernel | None = None
) -> Difference:
    """What the pooled view has over each agency's own.

    A fact made the difference where the level, with that answer not known, would not rise above every agency's own.
    Single facts are tried first, then pairs, in the dictionary's order; the first that does is taken.
    """
    seen = list(alone)
    most = max(_rank(one.prompt) for one in seen)
    met = {ground.code for one in seen for ground in one.grounds.met}
    grounds = tuple(ground.code for ground in together.grounds.met if ground.code not in met)
    if _rank(together.prompt) <= most:
        return Difference(False, (), False, grounds)
    known = [name for name, value in together.case.values.items() if value != NOT_KNOWN]
    for size in range(1, MOST_FACTS + 1):
        tried = combinations(known, size)
        found = [facts for facts in tried if _rank_without(model, rules, together, facts, kernel) <= most]
        if found and size == 1:
            return Difference(True, tuple(facts[0] for facts in found), True, grounds)
        if found:
            return Difference(True, found[0], False, grounds)
    return Difference(True, (), False, grounds)


def _rank_without(
    model: AdditiveModel, rules: GroundRules, together: View, facts: Sequence[str], kernel: Kernel | None
) -> int:
    case = Case({**together.case.values, **dict.fromkeys(facts, NOT_KNOWN)})
    return _rank(view(model, rules, case, kernel).prompt)


def _rank(prompt: Prompt) -> int:
    return len(LEVELS) - LEVELS.index(prompt.level)


def _counts(term: Term, agency: str, value: Value) -> bool:
    """Whether an agency's answer counts: always from one that may hold the record, else only where it worries.

    That a question does not apply (before birth, for one) anybody can tell: it is in no agency's records.
    """
    feature = term.feature
    if agency in feature.held_by or not feature.held_by or value == NOT_APPLICABLE:
        return True
    if feature.direction == "raises":
        return term.slot(value) > term.reference
    return feature.direction != "lowers" or term.slot(value) < term.reference


def _counted(term: Term, values: Sequence[Value]) -> Value:
    """The value that counts among those given: the riskier one, or `not_known` where there is no telling."""
    if not values:
        return NOT_KNOWN
    if len(set(values)) == 1:
        return values[0]
    if term.feature.direction == "free":
        return NOT_KNOWN
    return max(values, key=lambda value: _risk(term, value))


def _risk(term: Term, value: Value) -> tuple[float, bool, float]:
    """Orders known values by risk: by the feature's own table; where it does not tell, a level before *not
    applicable*, then by the declared direction."""
    slot = term.slot(value)
    if value == NOT_APPLICABLE:
        return term.table[slot], False, 0.0
    along = float(slot) if isinstance(value, str) else float(value)
    return term.table[slot], True, along if term.feature.direction == "raises" else -along
