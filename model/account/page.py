"""What a page is made of, whatever it is rendered to. All text is plain text: renderers escape it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Table:
    """A caption, column heads, and rows whose first cell names the row."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A point with its range; `said` is how the table beside the plot writes it. None: withheld or not defined."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    said: str


@dataclass(frozen=True, slots=True)
class Dots:
    """A row a mark, its value along the axis; `zero` is where a line is drawn."""

    title: str
    axis: str
    marks: tuple[Mark, ...]
    zero: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one line: x, and a mark for y."""

    name: str
    points: tuple[tuple[float, Mark], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines over a common x; `diagonal` draws where y equals x."""

    title: str
    x_axis: str
    y_axis: str
    series: tuple[Series, ...]
    diagonal: bool = False


@dataclass(frozen=True, slots=True)
class Tiles:
    """A grid of shares: a row a name, a tile a column, the darker the larger."""

    title: str
    axis: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Mark, ...]], ...]


Plot = Dots | Lines | Tiles


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot with the table that holds every number in it."""

    plot: Plot
    table: Table


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of plain lines."""

    items: tuple[str, ...]


Block = str | Table | Figure | Bullets


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with blocks and sections below it; a str is a paragraph."""

    title: str
    blocks: tuple[Block, ...]
    parts: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """The whole card. `warnings` stand above everything else."""

    title: str
    lead: str
    warnings: tuple[str, ...]
    sections: tuple[Section, ...] = field(default=())
