"""A grid of shares as SVG text: one colour, the darker the larger; what is withheld is a cross in an empty tile."""

from __future__ import annotations

from html import escape

from model.account.page import Mark, Tiles
from model.account.svg_parts import LABEL_WIDTH, WIDTH, axis_name, short, whole

ROW = 24
GAP = 2
HEAD_LETTERS = 18
SLANT = -35
WIDE_TILE = 64
"""From this width on a tile has room for its number, and no number needs to be guessed from a shade."""
FAINTEST, DEEPEST = 0.06, 0.75
"""Opacity of no share and of the largest: dark letters are read on both, at 5 to 1 or more."""
KEY_STEPS = 5
KEY_TILE = 40


def tiles(plot: Tiles, name: str) -> str:
    """The grid as one `svg` element; `name` is unique on the page."""
    values = [mark.value for _, row in plot.rows for mark in row if mark.value is not None]
    most = max(values, default=0.0) or 1.0
    width = (WIDTH - 20 - LABEL_WIDTH) / len(plot.columns)
    slanted = any(len(column) > 3 for column in plot.columns)
    top = 96 if slanted else 20
    parts = [
        _head(column, LABEL_WIDTH + width * (place + 0.5), top, slanted) for place, column in enumerate(plot.columns)
    ]
    for line, (label, row) in enumerate(plot.rows):
        y = top + ROW * line
        parts.append(f'<text class="label" x="{LABEL_WIDTH - 10}" y="{y + 16}">{escape(short(label))}</text>')
        parts += [_tile(mark, LABEL_WIDTH + width * place, y, width, most) for place, mark in enumerate(row)]
    bottom = top + ROW * len(plot.rows)
    parts.append(axis_name(LABEL_WIDTH + (WIDTH - 20 - LABEL_WIDTH) / 2, bottom + 18, plot.axis))
    parts += _key(bottom + 30, most)
    desc = f"Share by row and {plot.axis}; the darker, the larger. The table holds every number."
    return whole(name, plot.title, desc, bottom + 60, parts)


def _head(column: str, x: float, top: float, slanted: bool) -> str:
    if not slanted:
        return f'<text class="tick" x="{x:.1f}" y="{top - 6}">{escape(column)}</text>'
    turn = f'transform="rotate({SLANT} {x:.1f} {top - 8})"'
    return f'<text class="head" x="{x:.1f}" y="{top - 8}" {turn}>{escape(short(column, HEAD_LETTERS))}</text>'


def _tile(mark: Mark, x: float, y: float, width: float, most: float) -> str:
    said = escape(mark.said)
    title = f"<title>{escape(mark.label)}: {said}</title>"
    box = f'x="{x + GAP / 2:.1f}" y="{y + GAP / 2:.1f}" width="{width - GAP:.1f}" height="{ROW - GAP}"'
    middle = f'x="{x + width / 2:.1f}" y="{y + 16:.1f}"'
    if mark.value is None:
        return f'<g><rect class="tile-none" {box}>{title}</rect><text class="tick none" {middle}>×</text></g>'
    shade = max(mark.value / most * DEEPEST, FAINTEST)
    tile = f'<rect class="tile" {box} fill-opacity="{shade:.2f}" data-value="{said}">{title}</rect>'
    if width < WIDE_TILE:
        return tile
    return f'<g>{tile}<text class="tick" {middle}>{_percent(mark.value)}</text></g>'


def _key(y: float, most: float) -> list[str]:
    """From nothing to the largest share, and the cross."""
    parts = [f'<text class="label" x="{LABEL_WIDTH - 10}" y="{y + 13}">0 %</text>']
    for step in range(KEY_STEPS):
        x, shade = LABEL_WIDTH + KEY_TILE * step, max(step / (KEY_STEPS - 1) * DEEPEST, FAINTEST)
        parts.append(
            f'<rect class="tile" x="{x}" y="{y}" width="{KEY_TILE - GAP}" height="16" fill-opacity="{shade:.2f}"/>'
        )
    end = LABEL_WIDTH + KEY_TILE * KEY_STEPS
    parts.append(f'<text class="key" x="{end + 6}" y="{y + 13}">{_percent(most)}; × withheld</text>')
    return parts


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
