"""How a measurement is shown: the machine beside every table, the aim beside every figure."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 118
"""Characters a line where the output is not a terminal."""


def machine() -> str:
    """Cores, processor, load average and Python: a figure means nothing without them."""
    models = [line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    load = " ".join(f"{average:.1f}" for average in os.getloadavg())
    cores = len(os.sched_getaffinity(0))
    processor = models[0] if models else platform.machine()
    return f"{cores} cores ({processor}); load average {load}; Python {platform.python_version()}"


def ratio_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table with text in its first column and figures in the others; the caption names the machine as it is now."""
    table = Table(title=title, caption=machine(), title_justify="left", caption_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def print_aim(console: Console, aim: str, figure: str, met: bool) -> None:
    """One line: the aim, the figure, and whether it was met."""
    verdict = Text("met", "green") if met else Text("MISSED", "red")
    console.print(Text(f"aim: {aim}; measured: {figure}: ").append_text(verdict), soft_wrap=True)


def print_note(console: Console, note: str) -> None:
    """A plain line under a table."""
    console.print(note, markup=False, soft_wrap=True)


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines()
