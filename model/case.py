"""One anonymised case: a value for every feature of the dictionary, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Dictionary, Feature, Value

OTHER = "other"
"""The level of a category that stands for every value that the dictionary does not list."""
LARGEST = 2**53 - 1
"""The largest whole number that JSON carries exactly between systems (RFC 7493, section 2.2)."""


class ValueRefused(ValueError):
    """A value that the dictionary does not allow. The message names the fix and never repeats the value."""


class LevelUnseen(ValueRefused):
    """A category's value that the dictionary does not list: it may be counted as not known, and named as such."""


@dataclass(frozen=True, slots=True)
class Case:
    """A validated case.

    `values` has every feature of the dictionary in its order: a level, a number, `not_known` or `not_applicable`.
    """

    values: Mapping[str, Value]

    @classmethod
    def of(cls, dictionary: Dictionary, given: Mapping[str, Value | None]) -> Case:
        """A case out of values already admitted; an absent key and None become `not_known`."""
        blank = dictionary.nothing_known
        values: dict[str, Any] = {**blank, **given}
        if len(values) > len(blank) or None in values.values():
            values = {name: NOT_KNOWN if given.get(name) is None else given[name] for name in blank}
        return cls(values)

    def not_known(self) -> tuple[str, ...]:
        """Names of the features that are not known, in dictionary order."""
        return tuple(name for name, value in self.values.items() if value == NOT_KNOWN)

    def known(self) -> int:
        """How many features are known (not applicable counts as known)."""
        return len(self.values) - list(self.values.values()).count(NOT_KNOWN)


def admit(feature: Feature, value: object) -> Value | None:
    """The value as the model reads it, or None for JSON null. Raises `ValueRefused` with the fix.

    Booleans and numbers in quotes are refused rather than guessed at: `true` and `"3"` have more than one reading.
    """
    if value is None:
        return None
    if value == NOT_KNOWN:
        return NOT_KNOWN
    if value == NOT_APPLICABLE:
        if feature.not_applicable:
            return NOT_APPLICABLE
        raise ValueRefused(f"cannot be {NOT_APPLICABLE}; {allowed(feature)}")
    if feature.is_numeric:
        return _admit_number(feature, value)
    if isinstance(value, str) and value in feature.levels:
        return value
    if feature.kind == "category" and isinstance(value, str):
        if OTHER in feature.levels:
            return OTHER
        raise LevelUnseen(allowed(feature))
    raise ValueRefused(allowed(feature))


def _admit_number(feature: Feature, value: object) -> int | float:
    kinds = (int,) if feature.kind == "count" else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not -LARGEST <= value <= LARGEST:
        raise ValueRefused(allowed(feature))
    low, high = bounds(feature)
    if (low is not None and value < low) or (high is not None and value > high):
        raise ValueRefused(allowed(feature))
    # 38.0 and 38 are one JSON number, and the log spells it one way: shown in words, they must not be two.
    return int(value) if value == int(value) else value


def bounds(feature: Feature) -> tuple[float | None, float | None]:
    """Lowest and highest value of a count or number; a count begins at 0 where nothing else is said."""
    low = 0 if feature.minimum is None and feature.kind == "count" else feature.minimum
    return low, feature.maximum


def allowed(feature: Feature) -> str:
    """What may be sent for the feature, as the fix in an error: `send "no", "yes", "not_known" or leave it out`."""
    states = [NOT_KNOWN, *([NOT_APPLICABLE] if feature.not_applicable else [])]
    others = " or ".join(f'"{state}"' for state in states)
    if not feature.is_numeric:
        levels = ", ".join(f'"{level}"' for level in feature.levels)
        return f"send {levels}, or {others}, or leave it out"
    low, high = bounds(feature)
    span = "".join([f" from {low:g}" if low is not None else "", f" to {high:g}" if high is not None else ""])
    number = "whole number" if feature.kind == "count" else "number"
    unit = f" ({feature.unit})" if feature.unit else ""
    return f"send a {number}{span}{unit} without quotes, or {others}, or leave it out"
