"""Plots as SVG text, drawn here so that a card needs no script, no font and no other file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from model.account.page import Dots, Lines, Mark, Plot, Tiles
from model.account.svg_parts import LABEL_WIDTH, WIDTH, axis_name, short, whole
from model.account.tiles import tiles

ROW = 22
TICKS = 5
DASHES = ("", "6 3", "2 3", "8 3 2 3")


def svg(plot: Plot, name: str) -> str:
    """The plot as one `svg` element; `name` is unique on the page. A point's `data-value` is its cell in the table."""
    if isinstance(plot, Tiles):
        return tiles(plot, name)
    return _dots(plot, name) if isinstance(plot, Dots) else _lines(plot, name)


def _dots(plot: Dots, name: str) -> str:
    known = [value for mark in plot.marks for value in (mark.value, mark.low, mark.high) if value is not None]
    low, high, ticks = _scale([*(known or (0.0, 1.0)), *([] if plot.zero is None else [plot.zero])])
    left, right = LABEL_WIDTH, WIDTH - 20
    bottom = 8 + ROW * len(plot.marks)

    def x(value: float) -> float:
        return left + (value - low) / (high - low) * (right - left)

    parts = [_tick_down(x(tick), bottom, tick) for tick in ticks]
    if plot.zero is not None:
        parts.append(f'<line class="zero" x1="{x(plot.zero):.1f}" x2="{x(plot.zero):.1f}" y1="4" y2="{bottom}"/>')
    for place, mark in enumerate(plot.marks):
        y = 8 + ROW * place + ROW / 2
        parts.append(f'<text class="label" x="{left - 10}" y="{y + 4:.1f}">{escape(short(mark.label))}</text>')
        if mark.value is None:
            parts.append(f'<text class="none" x="{left + 6}" y="{y + 4:.1f}">{escape(mark.said)}</text>')
            continue
        if mark.low is not None and mark.high is not None:
            parts.append(
                f'<line class="range" x1="{x(mark.low):.1f}" x2="{x(mark.high):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
            )
        parts.append(_point(x(mark.value), y, mark))
    parts.append(axis_name(left + (right - left) / 2, bottom + 36, plot.axis))
    described = "; ".join(f"{mark.label}: {mark.said}" for mark in plot.marks[:3])
    more = f"; {len(plot.marks)} rows in all" if len(plot.marks) > 3 else ""
    desc = f"{plot.axis} by row. {described}{more}. The table holds every number."
    return whole(name, plot.title, desc, bottom + 44, parts)


def _lines(plot: Lines, name: str) -> str:
    points = [(px, mark) for series in plot.series for px, mark in series.points if mark.value is not None]
    ys = [v for _, mark in points for v in (mark.value, mark.low, mark.high) if v is not None]
    xs = [px for px, _ in points]
    if plot.diagonal:
        xs = ys = [*xs, *ys, 0.0]
    (x_low, x_high, x_ticks), (y_low, y_high, y_ticks) = _scale(xs), _scale(ys)
    left, right, top, bottom = 70, WIDTH - 20, 12, 300

    def x(value: float) -> float:
        return left + (value - x_low) / (x_high - x_low) * (right - left)

    def y(value: float) -> float:
        return bottom - (value - y_low) / (y_high - y_low) * (bottom - top)

    parts = [_tick_down(x(tick), bottom, tick) for tick in x_ticks]
    for tick in y_ticks:
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>')
        parts.append(f'<text class="label" x="{left - 8}" y="{y(tick) + 4:.1f}">{_tick(tick)}</text>')
    if plot.diagonal:
        end = min(x_high, y_high)
        parts.append(f'<line class="zero" x1="{x(0):.1f}" y1="{y(0):.1f}" x2="{x(end):.1f}" y2="{y(end):.1f}"/>')
    for place, series in enumerate(plot.series):
        drawn = [(x(px), mark) for px, mark in series.points if mark.value is not None]
        path = " ".join(f"{px:.1f},{y(mark.value or 0.0):.1f}" for px, mark in drawn)
        dash = DASHES[place % len(DASHES)]
        style = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(f'<polyline class="line s{place}" points="{path}"{style}/>')
        for px, mark in drawn:
            if mark.low is not None and mark.high is not None:
                parts.append(
                    f'<line class="range s{place}" x1="{px:.1f}" x2="{px:.1f}" y1="{y(mark.low):.1f}" '
                    f'y2="{y(mark.high):.1f}"/>'
                )
            parts.append(_point(px, y(mark.value or 0.0), mark, f" s{place}"))
        legend = bottom + 58 + 18 * place
        parts.append(f'<line class="line s{place}" x1="{left}" x2="{left + 36}" y1="{legend}" y2="{legend}"{style}/>')
        parts.append(f'<text class="key" x="{left + 44}" y="{legend + 4}">{escape(series.name)}</text>')
    parts.append(axis_name(left + (right - left) / 2, bottom + 36, plot.x_axis))
    desc = f"{plot.y_axis} by {plot.x_axis}: " + "; ".join(series.name for series in plot.series)
    return whole(name, plot.title, f"{desc}. The table holds every number.", bottom + 58 + 18 * len(plot.series), parts)


def _point(x: float, y: float, mark: Mark, more: str = "") -> str:
    title = escape(f"{mark.label}: {mark.said}")
    return (
        f'<circle class="point{more}" cx="{x:.1f}" cy="{y:.1f}" r="4" data-value="{escape(mark.said)}">'
        f"<title>{title}</title></circle>"
    )


def _tick_down(x: float, bottom: float, tick: float) -> str:
    return (
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{bottom}"/>'
        f'<text class="tick" x="{x:.1f}" y="{bottom + 16}">{_tick(tick)}</text>'
    )


def _tick(value: float) -> str:
    return f"{value:g}"


def _scale(values: Sequence[float]) -> tuple[float, float, list[float]]:
    """The ends of an axis on round numbers, and its ticks."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if math.isclose(low, high):
        low, high = low - 0.5, high + 0.5
    rough = (high - low) / TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * times for times in (1, 2, 5, 10) if size * times >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    digits = max(0, -math.floor(math.log10(step)))
    ticks = [round(place * step, digits) + 0.0 for place in range(first, last + 1)]
    return ticks[0], ticks[-1], ticks
