"""What `python -m training replay` does and shows: differences on standard output, progress on standard error."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import click
from threadpoolctl import threadpool_limits

from training.cases.logged import ExportError, read_screenings, sample
from training.release.archive import ArchiveError, archive_beside
from training.replay.story import Archive, Tally, replay

AGREES, DIFFERS, CANNOT_RUN = 0, 1, 2
_BETWEEN_LINES_SECONDS = 5.0

T = TypeVar("T")


def run_replay(
    export: Path, models: Path, estimators: Path | None, keys: Path | None, count: int | None, seed: int
) -> int:
    """Replays an export and returns the exit code: 0 all agree, 1 not all do, 2 it could not be run."""
    tally = Tally()
    try:
        archive = Archive(models, estimators or archive_beside(models), keys or models.resolve().parent / "keys")
        only = None if count is None else sample(export, count, seed)
        with threadpool_limits(1):  # one thread a fit: more of them wait for each other (docs/adr/0003)
            for line in replay(_with_progress(read_screenings(export, only), tally), archive, tally):
                click.echo(line)
        if not tally.seen:
            raise ExportError(f"{export}: holds no screening; nothing was replayed")
    except (ArchiveError, ExportError, OSError, UnicodeDecodeError) as error:
        click.echo(f"error: {error}", err=True)
        return CANNOT_RUN
    click.echo(str(tally))
    if tally.differed or tally.not_replayed:
        click.echo("error: not all of what was logged is what its model and its estimators give", err=True)
        return DIFFERS
    return AGREES


def _with_progress(screenings: Iterable[T], tally: Tally) -> Iterator[T]:
    told = time.monotonic()
    for screening in screenings:
        yield screening
        if time.monotonic() - told >= _BETWEEN_LINES_SECONDS:
            told = time.monotonic()
            click.echo(f"{tally.seen} screenings: {tally.agreed} agree", err=True)
