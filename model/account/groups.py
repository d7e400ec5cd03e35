"""Where each watched group's scores lie, and whose answers are missing: what a rate at one threshold cannot tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from model.account.figures import Figured, mark, percent
from model.account.page import Block, Figure, Table, Tiles

Facts = Mapping[str, Any]

BANDS_SAID = (
    "Of each group's cases, the share in each twentieth of all scores; 1 is the lowest. Were scores spread alike, "
    "every tile would hold 5 %. A group that stands to the right scores higher: read it beside observed / expected "
    "above, which says whether what happened bears that out."
)
UNKNOWN_SAID = (
    "The share of answers that are not known, over all features and over those that each agency may hold. Where one "
    "group's records are emptier, its scores say less, and what is missing is not missing by chance."
)


def bands(label: str, levels: Sequence[Facts]) -> tuple[Block, ...]:
    """Distribution of scores by group; nothing where a model does not hold it."""
    found = [(one["level"], one["bands"]) for one in levels if one.get("bands")]
    if not found:
        return ()
    title = f"{label}: scores by group"
    names = tuple(str(place) for place in range(1, len(found[0][1]) + 1))
    said = [[_share(share) for share in shares] for _, shares in found]
    rows = tuple(
        (
            level,
            tuple(
                mark(f"{level}, twentieth {name}", share, percent(share))
                for name, share in zip(names, shares, strict=True)
            ),
        )
        for (level, _), shares in zip(found, said, strict=True)
    )
    table = Table(
        title,
        ("Twentieth of the scores", *(level for level, _ in found)),
        tuple((name, *(percent(shares[place]) for shares in said)) for place, name in enumerate(names)),
    )
    return (BANDS_SAID, Figure(Tiles(title, "twentieth of all scores, from the lowest", names, rows), table))


def unknown(label: str, levels: Sequence[Facts], agency_label: Callable[[str], str]) -> tuple[Block, ...]:
    """Share of answers not known by group and agency; nothing where a model does not hold it."""
    found = [(one["level"], one["not_known"]) for one in levels if one.get("not_known")]
    if not found:
        return ()
    title = f"{label}: answers not known, by agency"
    agencies = list(found[0][1]["by_agency"])
    lines: list[tuple[str, list[Figured]]] = [("All features", [shares["all"] for _, shares in found])]
    lines += [(agency_label(one), [shares["by_agency"].get(one) for _, shares in found]) for one in agencies]
    groups = tuple(level for level, _ in found)
    rows = tuple(
        (
            name,
            tuple(mark(f"{name}, {group}", share, percent(share)) for group, share in zip(groups, shares, strict=True)),
        )
        for name, shares in lines
    )
    table = Table(title, ("May be held by", *groups), tuple((name, *map(percent, shares)) for name, shares in lines))
    return (UNKNOWN_SAID, Figure(Tiles(title, "group", groups, rows), table))


def _share(value: float | None) -> Figured:
    return None if value is None else {"value": value}
