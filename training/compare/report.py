"""What `compare` prints."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from model.additive import AdditiveModel, probability
from model.pairs.changes import pair_changes
from model.prompt import LEVELS
from training.artefact import DISCLOSURE_THRESHOLD
from training.compare.models import Levels, Moved, only_in, tables_moved

ROWS = 15
HIDDEN = f"<{DISCLOSURE_THRESHOLD} or hidden"


def print_comparison(console: Console, old: AdditiveModel, new: AdditiveModel, levels: Levels | None, of: str) -> None:
    """Tables moved, threshold and base value, and where there are cases who would change level and what moved them."""
    _line(console, f"{old.version} -> {new.version}")
    for name, a, b in (("base value", old.base_value, new.base_value), ("threshold", old.threshold, new.threshold)):
        _line(console, f"{name}: score {probability(a):.4f} -> {probability(b):.4f} (log-odds {b - a:+.3f})")
    for said, found in (("new questions", only_in(new, old)), ("no longer asked", only_in(old, new))):
        if found:
            _line(console, f"{said}: {', '.join(found)}")
    _print_tables(console, tables_moved(old, new))
    for line in pair_changes(old, new):
        _line(console, line)
    if levels is not None:
        _print_levels(console, levels, of)


def _print_tables(console: Console, moved: list[Moved]) -> None:
    if not moved:
        _line(console, "no feature's table moved")
        return
    table = Table(title="Tables that moved, largest first (contribution, log-odds)", title_justify="left")
    for column in ("feature", "answer", "old", "new", "moved"):
        table.add_column(column, justify="left" if column in ("feature", "answer") else "right")
    for one in moved[:ROWS]:
        table.add_row(one.feature, one.answer, f"{one.old:+.3f}", f"{one.new:+.3f}", f"{one.by:+.3f}")
    console.print(table, markup=False)
    if len(moved) > ROWS:
        _line(console, f"and {len(moved) - ROWS} more, none by more than {abs(moved[ROWS].by):.3f}")


def _print_levels(console: Console, levels: Levels, of: str) -> None:
    table = Table(title=f"Prompt level of {levels.cases} {of}: old in rows, new in columns", title_justify="left")
    table.add_column("old")
    for level in LEVELS:
        table.add_column(level, justify="right")
    for level, row in zip(LEVELS, levels.table, strict=True):
        table.add_row(level, *(HIDDEN if count is None else str(count) for count in row))
    console.print(table, markup=False)
    if levels.changed is not None:
        _line(console, f"would change level: {levels.changed} ({levels.changed / max(levels.cases, 1):.1%})")
    for why in levels.why:
        moved = ", ".join(f"{name} {by:+.3f}" for name, by in why.moved)
        _line(console, f"{why.before} -> {why.after}: {why.cases} cases; mean move towards the threshold: {moved}")


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
