"""Compares two answers to the digit: numbers by their spelling, words by their letters, rows by what they are about."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_ABSENT = object()
_KEYS = ("feature", "code")
"""What names a row of a list in an answer; rows without one are compared by their place."""


class _Number(str):
    """A number as it is spelled. As floats, 0.1 and 0.10 would be equal, and the bytes are not."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two answers differ; both values as JSON spells them, or `(absent)`."""

    path: str
    logged: str
    replayed: str


def differences(logged: Any, replayed: Any) -> list[Difference]:
    """Every difference between two values that `spelled` read.

    Empty where they differ only in what JSON does not mean: the order of keys, and spaces.
    """
    return list(_compare("", logged, replayed))


def spelled(text: bytes) -> Any:
    """A JSON text with its numbers as they are spelled. Raises ValueError or RecursionError where it cannot be read."""
    return json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_Number)


def _compare(path: str, logged: Any, replayed: Any) -> Iterator[Difference]:
    if isinstance(logged, dict) and isinstance(replayed, dict):
        yield from _compare_named(path, logged, replayed, "{}.{}" if path else "{}{}")
    elif isinstance(logged, list) and isinstance(replayed, list):
        yield from _compare_lists(path, logged, replayed)
    elif type(logged) is not type(replayed) or logged != replayed:
        yield Difference(path, _shown(logged), _shown(replayed))


def _compare_lists(path: str, logged: list[Any], replayed: list[Any]) -> Iterator[Difference]:
    for key in _KEYS:
        before, after = _by_key(logged, key), _by_key(replayed, key)
        if before is None or after is None:
            continue
        yield from _compare_named(path, before, after, "{}[{}]")
        if before.keys() == after.keys() and list(before) != list(after):
            yield Difference(f"{path} (order)", ", ".join(before), ", ".join(after))
        return
    indexed = [{str(place): value for place, value in enumerate(values)} for values in (logged, replayed)]
    yield from _compare_named(path, indexed[0], indexed[1], "{}[{}]")


def _compare_named(
    path: str, logged: Mapping[str, Any], replayed: Mapping[str, Any], form: str
) -> Iterator[Difference]:
    for name in dict.fromkeys((*logged, *replayed)):
        yield from _compare(form.format(path, name), logged.get(name, _ABSENT), replayed.get(name, _ABSENT))


def _by_key(rows: list[Any], key: str) -> dict[str, Any] | None:
    """The rows by what they are about; None where they have no such name, or one stands twice."""
    if not all(isinstance(row, dict) and type(row.get(key)) is str for row in rows):
        return None
    named = {row[key]: row for row in rows}
    return named if len(named) == len(rows) else None


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "(absent)"
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_shown(name)}:{_shown(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_shown, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
