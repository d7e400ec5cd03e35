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
    # A whole number written as 3.0, as spreadsheets and data frames do beside empty cells, is still 3.
    short = text.removesuffix(".0")
    if text in MISSING or text in feature.missing or short in feature.missing:
        return NOT_KNOWN
    if feature.kind == "yes_no" and text.lower() in YES | NO:
        return "yes" if text.lower() in YES else "no"
    if feature.is_numeric:
        value = admit(feature, _numeric(feature, text))
    else:
        value = admit(feature, short if text not in feature.levels and short in feature.levels else text)
    return NOT_KNOWN if value is None else value


def number(text: str) -> float | None:
    """The finite number that a cell holds, or None. `1_000` is a code, not a number."""
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _numeric(feature: Feature, text: str) -> Value:
    value = number(text)
    if value is None:
        return text
    return int(value) if feature.kind == "count" and value == int(value) else value


def file_fix(feature: Feature) -> str:
    """What a cell may hold, as the fix in an error about a file."""
    return (
        allowed(feature)
        .replace(", or leave it out", ", or leave it empty")
        .replace("send ", "put ", 1)
        .replace('"', "")
        .replace(" without quotes,", ",")
    )


__all__ = ["MISSING", "NO", "OTHER", "YES", "LevelUnseen", "ValueRefused", "file_fix", "number", "read_token"]
