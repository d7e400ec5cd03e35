"""The command `python -m service log replay`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from service.log.checkpoint import CheckpointError, SigningKeyError
from service.log.reader import LogReader
from service.log.reading import check_key_is_of_database, chosen, reads
from service.log.schema import LogError
from service.log.writer import reason
from service.replay.archive import ModelArchive
from service.replay.run import Tally, replay
from service.replay.source import ExportFile, LiveLog, Logged, ReplayError, Source, sample
from service.settings import Settings, SettingsError

CANNOT_RUN = 2
_BETWEEN_LINES_SECONDS = 5.0
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


def replay_command(settings: Callable[[], Settings], open_store: Callable[[], LogReader]) -> click.Command:
    """The command; `open_store` opens the live log where no export is given."""

    @click.command("replay")
    @click.option("--export", type=_FILE, help="Replay this export (JSON Lines) in place of the log of this service.")
    @reads
    @click.option("--models", type=_FOLDER, help="Archive of released models. Default: var/models.")
    @click.option("--keys", type=_FOLDER, help="Folder with release.pub.pem, the release key. Default: var/keys.")
    @click.option("--entry", help="Replay the one screening of this id.")
    @click.option("--from", "first", type=click.IntRange(0), help="Index of the first entry.")
    @click.option("--to", "last", type=click.IntRange(0), help="Index of the last entry, which is replayed too.")
    @click.option("--sample", "count", type=click.IntRange(1), help="Replay so many screenings, drawn at random.")
    @click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same sample.")
    def command(
        export: Path | None,
        database: str | None,
        key: Path | None,
        models: Path | None,
        keys: Path | None,
        entry: str | None,
        first: int | None,
        last: int | None,
        count: int | None,
        seed: int,
    ) -> None:
        """Work out every logged answer again from its logged input and its model, and compare the bytes.

        Exit code 0: all agree. 1: one or more differ, or could not be replayed. 2: the replay could not be run.
        """
        if entry is not None and any(option is not None for option in (first, last, count)):
            raise click.UsageError("--entry names one screening; leave out --from, --to and --sample")
        if export is not None and (database, key) != (None, None):
            raise click.UsageError("either an export is replayed or a database")
        check_key_is_of_database(database, key)
        with _cannot_run():
            configured = settings()
            archive = ModelArchive(models or configured.models, keys or configured.keys)
            with _source(export, lambda: chosen(open_store, database, key)) as source:
                tally = _show(_chosen(source, entry, first, last, count, seed), archive)
            if not tally.seen:
                raise ReplayError("no screening is among these entries; nothing was replayed")
        click.echo(summary(tally))
        if not tally.ok:
            click.echo("error: not all of what was logged is what its model gives", err=True)
            sys.exit(1)

    return command


def summary(tally: Tally) -> str:
    """One line that counts every screening that was looked at."""
    parts = [
        f"{tally.agreed} agree to the byte",
        f"{tally.differed} differ",
        f"{tally.erased} erased, so not replayed",
        f"{tally.without_model} without their model",
        f"{tally.unreadable} not readable",
    ]
    return f"{tally.seen} screenings, {len(tally.models)} models: {'; '.join(parts)}"


def _show(entries: Iterable[Logged], archive: ModelArchive) -> Tally:
    tally = Tally()
    for finding in replay(_with_progress(entries, tally), archive, tally):
        for line in finding.lines():
            click.echo(line)
    return tally


def _chosen(
    source: Source, entry: str | None, first: int | None, last: int | None, count: int | None, seed: int
) -> Iterator[Logged]:
    start, stop = first or 0, source.size if last is None else min(last + 1, source.size)
    if start >= stop:
        raise ReplayError(f"no entries from {start} to {stop - 1}: the log has {source.size}, from 0 on")
    if entry is not None:
        index = source.find(entry.lower())
        if index is None:
            raise ReplayError("there is no entry of that id in the log")
        return source.picked({index})
    if count is not None:
        click.echo("drawing the sample", err=True)
        return source.picked(sample(source.entries(start, stop), count, seed))
    return source.entries(start, stop)


def _with_progress(entries: Iterable[Logged], tally: Tally) -> Iterator[Logged]:
    """Says on standard error where a long replay is."""
    told = time.monotonic()
    for entry in entries:
        yield entry
        if time.monotonic() - told >= _BETWEEN_LINES_SECONDS:
            told = time.monotonic()
            click.echo(f"at entry {entry.index}: {tally.seen} screenings, {tally.agreed} agree", err=True)


@contextmanager
def _source(export: Path | None, open_store: Callable[[], LogReader]) -> Iterator[Source]:
    if export is not None:
        yield ExportFile(export)
        return
    store = open_store()
    try:
        yield LiveLog(store)
    finally:
        store.close()


@contextmanager
def _cannot_run() -> Iterator[None]:
    try:
        yield
    except (ReplayError, LogError, CheckpointError, SigningKeyError, SettingsError, OSError) as error:
        _fail(str(error))
    except SQLAlchemyError as error:
        _fail(f"the log's database cannot be read ({reason(error)})")


def _fail(message: str) -> None:
    click.echo(f"error: {message}", err=True)
    sys.exit(CANNOT_RUN)
