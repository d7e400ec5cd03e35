"""What several agencies know, put together by the rules of the pooled view.

Where known answers differ the riskier one counts, and where a question has no direction it counts as not known. An
agency that holds no such record cannot say that something is absent: its "no" counts as not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from model.condition import NOT_APPLICABLE, NOT_KNOWN, Value
from model.dictionary import Dictionary, Feature
from service.learning.facts import says_absent
from service.learning.vignette import Known


@dataclass(frozen=True, slots=True)
class Conflict:
    """A question to which agencies gave different known answers, and the one that counts."""

    feature: Feature
    answers: tuple[tuple[str, Value], ...]
    counted: Value


@dataclass(frozen=True, slots=True)
class Together:
    """The known answers of all agencies as one case, and where they differed."""

    features: dict[str, Value]
    conflicts: tuple[Conflict, ...]


def together(parts: Iterable[Known], dictionary: Dictionary) -> Together:
    """Puts parts together. An agency may come more than once, for instance with what it said when asked."""
    given: dict[str, list[tuple[str, Value]]] = {}
    for part in parts:
        for name, value in part.features.items():
            if counts(dictionary.feature(name), value, part.agency):
                given.setdefault(name, []).append((part.agency, value))
    features: dict[str, Value] = {}
    conflicts = []
    for name, answers in given.items():
        feature = dictionary.feature(name)
        features[name] = riskiest(feature, [value for _, value in answers])
        if len({value for _, value in answers}) > 1:
            conflicts.append(Conflict(feature, tuple(answers), features[name]))
    return Together(features, tuple(conflicts))


def counts(feature: Feature, value: Value, agency: str) -> bool:
    """Whether an answer is known when this agency gives it."""
    return value != NOT_KNOWN and (agency in feature.held_by or not says_absent(feature, value))


def riskiest(feature: Feature, values: list[Value]) -> Value:
    """The answer that counts of several known ones; *not applicable* gives way to any that says something."""
    telling = list(dict.fromkeys(value for value in values if value != NOT_APPLICABLE))
    if len(telling) < 2:
        return telling[0] if telling else NOT_APPLICABLE
    if feature.direction == "free":
        return NOT_KNOWN
    ordered = sorted(telling, key=float if feature.is_numeric else lambda value: feature.levels.index(str(value)))
    return ordered[-1] if feature.direction == "raises" else ordered[0]
