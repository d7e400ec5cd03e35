"""The numbers of a logged answer as drawings: the range of the score, each gap, and the contributions as bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.pages.scale import Scale

RANGE_WIDTH = 600.0
GAP_WIDTH = 200.0
BAR_WIDTH = 100.0
"""Half the width of a bar chart: bars run from the middle, left for a lower score and right for a higher one."""
FIRST_BARS = 10
FIRST_REASONS = 3
"""What is shown at once; the rest opens on request and is printed."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch on a drawing: where it begins, and how wide it is."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class RangePicture:
    """The score on its scale: the range over what is not known, the range from refits, the score, the threshold."""

    reach: Mark
    refits: Mark
    score: float
    threshold: float | None
    ticks: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class GapRow:
    """One thing that is not known: who may know it, and where the score would go."""

    label: str
    held_by: tuple[str, ...]
    ask_first: bool
    lowest: float
    highest: float
    reach: Mark
    score: float
    threshold: float | None


@dataclass(frozen=True, slots=True)
class BarRow:
    """One contribution: its sentence, its log-odds, and its bar."""

    text: str
    contribution: float
    side: str
    bar: Mark


def range_picture(answer: Mapping[str, Any], threshold: float | None) -> RangePicture:
    """The picture of the score. `threshold` is a probability; None where the model that answered is not at hand."""
    marks = [*answer["score_range"], *answer["score_interval"], answer["score"], *_present(threshold)]
    scale = Scale.over(marks, RANGE_WIDTH)
    return RangePicture(
        reach=_mark(scale, *answer["score_range"]),
        refits=_mark(scale, *answer["score_interval"]),
        score=scale.at(answer["score"]),
        threshold=None if threshold is None else scale.at(threshold),
        ticks=scale.ticks(60),
    )


def gap_rows(answer: Mapping[str, Any], threshold: float | None, labels: Mapping[str, str]) -> list[GapRow]:
    """What is not known, what to ask first at the top; then what could raise the score most."""
    gaps = answer["not_known"]
    edges = [gap[edge] for gap in gaps for edge in ("score_if_lowest", "score_if_highest")]
    scale = Scale.over([*edges, answer["score"], *_present(threshold)], GAP_WIDTH)
    first = {name: place for place, name in enumerate(answer["prompt"]["ask"])}
    ordered = sorted(gaps, key=lambda gap: first.get(gap["feature"], len(first)))
    return [
        GapRow(
            label=gap["label"],
            held_by=tuple(labels.get(agency, agency) for agency in gap["held_by"]),
            ask_first=gap["feature"] in first,
            lowest=gap["score_if_lowest"],
            highest=gap["score_if_highest"],
            reach=_mark(scale, gap["score_if_lowest"], gap["score_if_highest"]),
            score=scale.at(answer["score"]),
            threshold=None if threshold is None else scale.at(threshold),
        )
        for gap in ordered
    ]


@dataclass(frozen=True, slots=True)
class PooledRow:
    """What one agency alone would be shown, or, with `who` empty, all together; scores are probabilities."""

    who: str
    level: str
    grounds: tuple[str, ...]
    known: int
    value: float
    lowest: float
    highest: float
    reach: Mark
    score: float
    threshold: float | None


def pooled_rows(
    answer: Mapping[str, Any], threshold: float | None, labels: Mapping[str, str], grounds: Mapping[str, str]
) -> list[PooledRow]:
    """A row an agency, on one scale, and the pooled one below. `labels` are the agencies', `grounds` the grounds'."""
    if "pooled" not in answer:
        return []
    features = len(answer["explanation"]["contributions"])
    together = {
        "agency": "",
        "grounds": [ground["code"] for ground in answer["grounds"]],
        "known": features - len(answer["not_known"]),
        **{name: answer[name] for name in ("prompt", "score", "score_range")},
    }
    seen = [*answer["pooled"]["alone"], together]
    marks = [place for one in seen for place in (one["score"], *one["score_range"])]
    scale = Scale.over([*marks, *_present(threshold)], GAP_WIDTH)
    return [
        PooledRow(
            who=labels.get(one["agency"], one["agency"]),
            level=one["prompt"]["level"],
            grounds=tuple(grounds.get(code, code) for code in one["grounds"]),
            known=one["known"],
            value=one["score"],
            lowest=one["score_range"][0],
            highest=one["score_range"][1],
            reach=_mark(scale, *one["score_range"]),
            score=scale.at(one["score"]),
            threshold=None if threshold is None else scale.at(threshold),
        )
        for one in seen
    ]


def bar_rows(answer: Mapping[str, Any]) -> list[BarRow]:
    """The contributions, the largest first, up or down."""
    contributions = answer["explanation"]["contributions"]
    largest = max((abs(row["contribution"]) for row in contributions), default=0.0) or 1.0
    ranked = sorted(contributions, key=lambda row: -abs(row["contribution"]))
    return [_bar(row["text"], row["contribution"], largest) for row in ranked]


def _bar(text: str, contribution: float, largest: float) -> BarRow:
    width = round(BAR_WIDTH * abs(contribution) / largest, 1)
    side = "raises" if contribution > 0 else "lowers" if contribution < 0 else "level"
    return BarRow(text, contribution, side, Mark(BAR_WIDTH - (width if contribution < 0 else 0), width))


def _mark(scale: Scale, low: float, high: float) -> Mark:
    begins, ends = scale.at(low), scale.at(high)
    return Mark(begins, round(max(ends - begins, 2.0), 1))


def _present(threshold: float | None) -> list[float]:
    return [] if threshold is None else [threshold]
