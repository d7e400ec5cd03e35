"""Shows where a long run is: one line a stage with its time on a terminal and in a log alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


@contextmanager
def stages(console: Console) -> Iterator[Callable[[str, float], None]]:
    """Gives a function (stage, share done 0 to 1) that moves the display on."""
    if console.is_terminal:
        with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console) as bars:
            yield _on_terminal(bars)
    else:
        yield _on_lines(console)


def _on_terminal(bars: Progress) -> Callable[[str, float], None]:
    tasks: dict[str, object] = {}

    def progress(stage: str, done: float) -> None:
        if stage not in tasks:
            for finished in bars.tasks:
                bars.update(finished.id, completed=1.0)
                bars.stop_task(finished.id)
            tasks[stage] = bars.add_task(stage, total=1.0)
        bars.update(tasks[stage], completed=done)  # type: ignore[arg-type]  # rich's TaskID is a NewType of int

    return progress


def _on_lines(console: Console) -> Callable[[str, float], None]:
    started = time.monotonic()
    seen: set[str] = set()

    def progress(stage: str, done: float) -> None:
        if stage not in seen:
            seen.add(stage)
            console.print(f"{time.monotonic() - started:6.1f} s  {stage}", markup=False, highlight=False)

    return progress
