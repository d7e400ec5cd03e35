"""The chart of docs/worked-case.md, drawn from the tables of the page itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

TOGETHER = "Every combination of answers to what is not known"
SCORE_NOW = "The score now"
THRESHOLD = "The score alone prompts from"

ROW = re.compile(r"^\| (?P<label>[^|]+) \| (?P<held_by>[^|]+) \| (?P<low>[\d.]+) % to (?P<high>[\d.]+) % \|$", re.M)

STYLE = (
    "text{font:13px sans-serif;fill:#222}.h{font-weight:bold}.e{text-anchor:end}.m{text-anchor:middle}.p{fill:#fff}"
    ".a{stroke:#888;stroke-opacity:.4}.b{fill:#2a6f97}.s{stroke:#b3261e;stroke-width:2}"
    ".t{stroke:#666;stroke-width:2;stroke-dasharray:5 4}@media (prefers-color-scheme:dark){text{fill:#eee}"
    ".p{fill:#16191d}.b{fill:#7fb8d8}.s{stroke:#ff8a80}.t{stroke:#bbb}}"
)
WIDTH, LEFT, PLOT, STEP = 860, 430, 300, 24
AXES = (5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True)
class Bar:
    """One not-known answer: its label, the labels of those who may hold it, and the scores it could give, in %."""

    label: str
    held_by: str
    low: float
    high: float


def bars(page: str) -> list[Bar]:
    """The rows of the page's table of what is not known, in order."""
    return [Bar(row["label"], row["held_by"], float(row["low"]), float(row["high"])) for row in ROW.finditer(page)]


def figure(page: str, name: str) -> list[float]:
    """The percentages in the page's row of that name."""
    row = next(line for line in page.splitlines() if line.startswith(f"| {name} |"))
    return [float(number) for number in re.findall(r"([\d.]+) %", row)]


def draw(page: str) -> str:
    """The chart as SVG. It brings its own background, so that it can be read on a light and on a dark page."""
    rows = bars(page)
    (now,), (threshold,), (low, high) = figure(page, SCORE_NOW), figure(page, THRESHOLD), figure(page, TOGETHER)
    axis = next(top for top in AXES if top >= max(threshold, *(row.high for row in rows)))
    bottom = 138 + STEP * len(rows)
    together = Bar("Every combination of answers", "", low, high)
    lines = [
        '<title id="t">What the score could be, were what is not known known</title>',
        f'<desc id="d">The score now is {now} %. Over every combination of answers it could lie anywhere from {low} % '
        f"to {high} %. Below, a bar for each single answer, {len(rows)} in all. The score alone prompts from "
        f"{threshold} %. All numbers stand in the tables of the page.</desc>",
        f"<style>{STYLE}</style>",
        f'<rect class="p" width="{WIDTH}" height="{bottom + 56}" rx="6"/>',
        '<text class="h" x="16" y="24">All answers together (scale to 100 %)</text>',
        *_grid(100, 44, 76),
        *_bar(together, 100, 66),
        *_mark("s", now, 100, 48, 76),
        f'<text class="h" x="16" y="112">One answer alone (scale to {axis} %)</text>',
        *_grid(axis, 128, bottom),
        *(line for number, row in enumerate(rows) for line in _bar(row, axis, 150 + STEP * number)),
        *_mark("s", now, axis, 132, bottom),
        *_mark("t", threshold, axis, 132, bottom),
        _text(now, axis, bottom + 18, f"the score now: {now} %"),
        _text(threshold, axis, bottom + 38, f"the score alone prompts from {threshold} %"),
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 56}" role="img" aria-labelledby="t d">'
    )
    return "\n".join([head, *lines, "</svg>", ""])


def _x(value: float, axis: float) -> float:
    return LEFT + PLOT * value / axis


def _text(value: float, axis: float, y: int, words: str) -> str:
    return f'<text class="m" x="{_x(value, axis):.1f}" y="{y}">{words}</text>'


def _grid(axis: int, top: int, bottom: int) -> Iterator[str]:
    for tick in range(0, axis + 1, axis // 5):
        yield from _mark("a", tick, axis, top + 4, bottom)
        yield _text(tick, axis, top, f"{tick} %")


def _bar(bar: Bar, axis: int, y: int) -> Iterator[str]:
    start, end = _x(bar.low, axis), _x(bar.high, axis)
    yield f'<text class="e" x="{LEFT - 10}" y="{y}">{escape(bar.label)}</text>'
    yield f'<rect class="b" x="{start:.1f}" width="{end - start:.1f}" y="{y - 12}" height="14" rx="2"/>'
    yield f'<text class="e" x="{WIDTH - 10}" y="{y}">{bar.low} to {bar.high} %</text>'


def _mark(kind: str, value: float, axis: float, top: int, bottom: int) -> Iterator[str]:
    x = _x(value, axis)
    yield f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'
