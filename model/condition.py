"""Conditions of the grounds, in three-valued logic (Kleene): met, not met, or undecided.

A condition is written in the dictionary as operands joined by `all` or `any`:
`{ all = ["injury_or_bruise = yes", { any = ["child_age_months < 6", "mobility = not_mobile"] }] }`.
An operand about a feature that is not known is undecided, except `is not_known`, which is always decided.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

NOT_KNOWN = "not_known"
NOT_APPLICABLE = "not_applicable"

Value = str | int | float

_OPERAND = re.compile(r"^\s*([A-Za-z][A-Za-z0-9_.-]*)\s*(>=|<=|<|>|=|\bis\b)\s*(\S(?:.*\S)?)\s*$")
_STATES = (NOT_KNOWN, NOT_APPLICABLE)


class ConditionError(ValueError):
    """A condition that cannot be read; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Operand:
    """`feature comparison value`: the smallest question that a condition can ask."""

    feature: str
    comparison: str
    value: str | float

    def decide(self, values: Mapping[str, Value]) -> bool | None:
        """True, False, or None when the feature is not known and that leaves the question open."""
        seen = values.get(self.feature, NOT_KNOWN)
        if self.comparison == "is":
            return None if seen == NOT_KNOWN and self.value != NOT_KNOWN else seen == self.value
        if seen == NOT_KNOWN:
            return None
        if seen == NOT_APPLICABLE:
            return False
        if self.comparison == "=":
            return seen == self.value
        return _compare(self.comparison, float(seen), float(self.value))

    def text(self) -> str:
        """The operand as the dictionary writes it."""
        return f"{self.feature} {self.comparison} {self.value}"


@dataclass(frozen=True, slots=True)
class Joined:
    """`all` or `any` of several conditions."""

    join: str
    parts: tuple[Condition, ...]

    def decide(self, values: Mapping[str, Value]) -> bool | None:
        """Kleene's strong conjunction (`all`) or disjunction (`any`)."""
        decided = [part.decide(values) for part in self.parts]
        settles = self.join == "any"
        if settles in decided:
            return settles
        return None if None in decided else not settles


Condition = Operand | Joined


def _compare(comparison: str, seen: float, limit: float) -> bool:
    match comparison:
        case ">=":
            return seen >= limit
        case "<=":
            return seen <= limit
        case ">":
            return seen > limit
        case _:
            return seen < limit


def read_condition(raw: object) -> Condition:
    """Reads a condition as TOML or JSON gives it. Raises `ConditionError`."""
    if isinstance(raw, str):
        return _read_operand(raw)
    if isinstance(raw, Mapping) and len(raw) == 1:
        join, parts = next(iter(raw.items()))
        if join in ("all", "any") and isinstance(parts, Sequence) and not isinstance(parts, str) and parts:
            return Joined(join, tuple(read_condition(part) for part in parts))
    raise ConditionError('expected "feature = value", { all = [...] } or { any = [...] }')


def _read_operand(raw: str) -> Operand:
    found = _OPERAND.match(raw)
    if not found:
        raise ConditionError(f'"{raw}" is not of the form "feature = value"')
    feature, comparison, value = found.groups()
    if comparison == "is" and value not in _STATES:
        raise ConditionError(f'"{raw}": after "is" comes {" or ".join(_STATES)}')
    if comparison in ("=", "is"):
        return Operand(feature, comparison, value)
    try:
        return Operand(feature, comparison, float(value))
    except ValueError:
        raise ConditionError(f'"{raw}": {comparison} compares with a number') from None


def operands(condition: Condition) -> tuple[Operand, ...]:
    """Every operand in the condition, in the order of writing."""
    if isinstance(condition, Operand):
        return (condition,)
    return tuple(operand for part in condition.parts for operand in operands(part))


def answers_that_meet(condition: Condition, values: Mapping[str, Value]) -> tuple[str, ...] | None:
    """The fewest not-known features whose answers could meet the condition; `()` when it is met, None when none can.

    In the order of writing; of several sets as small, the first written. Several operands about one feature count once;
    whether one value can satisfy them all is for whoever writes the condition (a ground asks a feature for one thing).
    """
    decided = condition.decide(values)
    if decided is not None:
        return () if decided else None
    return min(_ways(condition, values), key=len)


def _ways(condition: Condition, values: Mapping[str, Value]) -> list[tuple[str, ...]]:
    """Each set of not-known features whose answers could meet the condition."""
    decided = condition.decide(values)
    if decided is not None:
        return [()] if decided else []
    if isinstance(condition, Operand):
        return [(condition.feature,)]
    parts = [_ways(part, values) for part in condition.parts]
    if condition.join == "any":
        return [way for part in parts for way in part]
    return [tuple(dict.fromkeys(name for way in ways for name in way)) for ways in product(*parts)]
