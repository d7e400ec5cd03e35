"""The payload of an entry as rows that a person reads: every name and value in it, nothing left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from service.words.topics import topic

Rows = list[tuple[str, str]]


def rows_of(said: Mapping[str, Any]) -> Rows:
    """Name and value, in the payload's order; what lies inside another is named with it."""
    return list(_rows(said, ""))


def _rows(said: Mapping[str, Any], inside: str) -> Iterator[tuple[str, str]]:
    for name, value in said.items():
        named = f"{inside}{': ' if inside else ''}{_name(name)}"
        if isinstance(value, dict) and value:
            yield from _rows(value, named)
        elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
            for place, one in enumerate(value, 1):
                yield from _rows(one if isinstance(one, dict) else {"": one}, f"{named} {place}")
        else:
            yield named, _value(value)


def _name(name: str) -> str:
    """The field's name in words: the topic's own where it has one."""
    fields = topic("audit").field
    return fields[name] if name in fields else name.replace("_", " ").capitalize()


def _value(value: Any) -> str:
    words = topic("audit").value
    if value is None or value in ([], {}, ""):
        return str(words.nothing)
    if isinstance(value, bool):
        return str(words.yes if value else words.no)
    if isinstance(value, list):
        return ", ".join(_value(one) for one in value)
    return str(value)
