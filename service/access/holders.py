"""Whose a key is: one that took another's place (`rotate`) is the same holder's, who goes on with what that one asked.

A holder is named by the id of the first key of the line. The later ones keep it in their own record, so that it
outlasts the records of those before; where a version that did not keep it rotated a key, the line is followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.access.key_file import StoredKey


@dataclass(slots=True)
class Line:
    """The ids of one holder's keys, in the order of the key file, those whose record is gone among them.

    `unmarked` are those that were rotated by a version that knew no holders: what was asked by them once, the log took
    once by their own ids.
    """

    ids: list[str] = field(default_factory=list)
    unmarked: list[str] = field(default_factory=list)


def holder_of(key_id: str, stored: Mapping[str, StoredKey]) -> str:
    """The holder of a key: the id of the first one of its line, as far as the records tell."""
    seen = set()
    while key_id not in seen and (key := stored.get(key_id)) is not None:
        if key.holder is not None:
            return key.holder
        if key.replaces is None:
            break
        seen.add(key_id)  # a file that somebody edited may name them in a circle
        key_id = key.replaces
    return key_id


def lines_of(stored: Mapping[str, StoredKey]) -> dict[str, Line]:
    """The line of each holder."""
    lines: dict[str, Line] = {}
    for key in stored.values():
        holder = holder_of(key.key_id, stored)
        line = lines.setdefault(holder, Line())
        for one in (holder, key.replaces, key.key_id):
            if one is not None and one not in line.ids:
                line.ids.append(one)
        if key.replaces is not None and key.holder is None:
            line.unmarked.append(key.key_id)
    return lines
