"""What every plot has: its frame with name and description, labels and axis names."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH = 640
LABEL_WIDTH = 230
LABEL_LETTERS = 34


def whole(name: str, title: str, desc: str, height: float, parts: Sequence[str]) -> str:
    """A plot with its name and description for those who do not see it."""
    return (
        f'<svg role="img" aria-labelledby="{name}-title {name}-desc" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'width="{WIDTH}" height="{height:.0f}">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(desc)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def axis_name(x: float, y: float, text: str) -> str:
    """What an axis shows, centred below it."""
    return f'<text class="axis" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def short(label: str, letters: int = LABEL_LETTERS) -> str:
    """A label that fits its place; the table has it whole."""
    return label if len(label) <= letters else label[: letters - 1].rstrip() + "…"
