"""Small counts are not shown, nor is what would let a reader work them out from the counts that are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

THRESHOLD = 10
"""A count of fewer, other than none, is not shown: as in the tables of a model (NHS Digital and ONS practice)."""


def is_small(count: int) -> bool:
    """Whether a count is too small to be shown."""
    return 0 < count < THRESHOLD


def hidden(parts: Mapping[str, Sequence[int]], already: Collection[str] = ()) -> set[str]:
    """The groups of one breakdown whose counts must not be shown; each group has the same number of parts.

    A group is hidden where one of its parts is small. A reader who knows the total can subtract the groups that are
    shown, so what is hidden must be several groups whose parts are not small in sum: the next smallest are hidden
    until that holds. Those in `already` are hidden whatever their parts.
    """
    chosen = {name for name, counts in parts.items() if name in already or any(map(is_small, counts))}
    rest = sorted((name for name in parts if name not in chosen), key=lambda name: (sum(parts[name]), name))
    for name in rest:
        sums = [sum(column) for column in zip(*(parts[one] for one in chosen), strict=True)]
        if not chosen or (len(chosen) > 1 and not any(map(is_small, sums))):
            break
        chosen.add(name)
    return chosen
