"""Reads a cell of a data file as a value of a feature. Files are looser than the API: all their cells are text."""

from __future__ import annotations

import math

from model.case import OTHER, LevelUnseen, ValueRefused, admit, allowed
from model.dictionary import NOT_KNOWN, Feature, Value

MISSING = frozenset({"", NOT_KNOWN})
YES = frozenset({"yes", "y", "true", "t", "1", "1.0"})
NO = frozenset({"no", "n", "false", "f", "0", "0.0"})


def read_token(feature: Feature, text: str) -> Value:
    """The value that a cell stands for; `not_known` for an empty one and for the feature's `missing` tokens.

    Raises `ValueRefused` with the fix, or `LevelUnseen` for a category's value that the dictionary does not list.
    """
    text = text.strip()
    if text in MISSING or text in feature.missing:
        return NOT_KNOWN
    if feature.kind == "yes_no" and text.lower() in YES | NO:
        return "yes" if text.lower() in YES else "no"
    value = admit(feature, _number(feature, text) if feature.is_numeric else text)
    return NOT_KNOWN if value is None else value


def _number(feature: Feature, text: str) -> Value:
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        raise ValueRefused(file_fix(feature))
    # A count written as 3.0, as spreadsheets and data frames do, is still the whole number 3.
    return int(number) if feature.kind == "count" and number == int(number) else number


def file_fix(feature: Feature) -> str:
    """What a cell may hold, as the fix in an error about a file."""
    return (
        allowed(feature).replace(", or leave it out", ", or leave it empty").replace("send ", "put ").replace('"', "")
    )


__all__ = ["MISSING", "NO", "OTHER", "YES", "LevelUnseen", "ValueRefused", "file_fix", "read_token"]
