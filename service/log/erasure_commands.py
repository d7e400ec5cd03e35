"""The commands `log erase` and `log retain`: what they did, what they checked, and what they cannot reach."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from model.identifiers import identifier_kind
from service.log.case_entries import CaseEntries
from service.log.cleaning import database_file, empty_write_ahead_log, files_of, remains, rewrite, sampled
from service.log.command_errors import LogCommandError, opened_log, plain_errors
from service.log.entry import time_text
from service.log.erasure import Erased, Order, Target, erase, erase_found, erasure_of, finish, reason_of, still_there
from service.log.retention import KEY_ID, SHIPPED, closed_lists, due, read_policy
from service.log.schema import LogError
from service.log.store import LogStore

REASONS, ROLES = closed_lists()
NOT_REACHED = (
    "not reached: exports, backups and replicas made before (make them anew), the files of batch jobs, what other "
    "systems received, the auditor's search index until the next search (it may be deleted), and old blocks that the "
    "file system or the disk itself keeps"
)
_PROGRESS_ENTRIES = 20_000
_NOTE = re.compile(r"[a-z0-9][a-z0-9.-]{0,31}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Open = Callable[[], LogStore]


class NothingToErase(LogCommandError):
    """What was asked for is not in the log: one line and exit code 2."""

    exit_code = 2


def add_erasure_commands(log: click.Group, open_store: Open) -> None:
    """Adds `erase` and `retain` to the group `log`; `open_store` opens the live log."""

    @log.command("erase")
    @click.option("--screening", metavar="ID", help="A screening, and the responses to it.")
    @click.option("--case-ref", metavar="REF", help="Every entry of a case; - reads the REF from standard input.")
    @click.option("--reason", type=click.Choice(sorted(REASONS)), required=True)
    @click.option("--by", metavar="ROLE|KEY_ID", callback=_checked_by, required=True, help="On whose word.")
    @click.option("--note-code", callback=_checked_note, help="Number of your own file on it; a code, never a name.")
    def erase_command(screening: str | None, case_ref: str | None, reason: str, by: str, note_code: str | None) -> None:
        """Erase what the log holds of a screening or a case. Leaves and proofs stay; the erasure is an entry."""
        if (screening is None) == (case_ref is None):
            raise click.UsageError("say what to erase: either --screening ID or --case-ref REF")
        order = Order(reason, by, note_code)
        if screening is not None:
            _run(open_store, lambda store, done: _erase_screening(store, screening.lower(), order, done))
        else:
            named = sys.stdin.readline().rstrip("\n") if case_ref == "-" else str(case_ref)
            _run(open_store, lambda store, done: _erase_case(store, named, order, done))

    @log.command("retain")
    @click.option("--dry-run", is_flag=True, help="Only say what is due.")
    @click.option(
        "--policy",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        default=SHIPPED,
        help="Your own periods; service/log/retention.toml where there is none.",
    )
    @click.option("--by", metavar="ROLE|KEY_ID", callback=_checked_by, default="operator", help="On whose word.")
    def retain_command(dry_run: bool, policy: Path, by: str) -> None:
        """Erase the payloads whose retention period has ended. Run it daily."""
        with plain_errors("written"):
            periods = read_policy(policy)
        order = Order("retention_period_ended", by, policy=periods.digest)

        def run(store: LogStore, done: Erased) -> None:
            targets = due(store, periods, time.time_ns(), _progress)
            if dry_run:
                click.echo(f"due: {_counted(targets)}; nothing was erased")
            else:
                erase(store, targets, order, done)

        if dry_run:
            with plain_errors("written"), opened_log(open_store) as store:
                run(store, Erased())
        else:
            _run(open_store, run)


def _run(open_store: Open, work: Callable[[LogStore, Erased], None]) -> None:
    """Finishes what was cut off, does the work, cleans the files and says what was checked."""
    done = Erased()
    with plain_errors("written"):
        with opened_log(open_store) as store:
            database = database_file(store)
            finish(store, done)
            if done.finished:
                click.echo(f"finished: {done.finished} payloads of an erasure that had been cut off")
            work(store, done)
            _say_what_was_done(done)
            empty_write_ahead_log(store)
            left = still_there(store, done)
        if left:
            raise LogCommandError(f"{left} of the entries still have a payload: run this again, and verify the log")
        if database is None:
            click.echo(
                "checked: no row holds what was erased; PostgreSQL keeps old rows in its files until its owner runs: "
                "python -m service database clean"
            )
        elif done.traces:
            _check(open_store, database, done)
    click.echo(NOT_REACHED)
    if done.unreadable:
        indexes = ", ".join(map(str, done.unreadable[:20]))
        raise LogCommandError(
            f"{len(done.unreadable)} entries cannot be read and may concern the case ({indexes}): verify the log"
        )


def _erase_screening(store: LogStore, screening: str, order: Order, done: Erased) -> None:
    row = store.row(screening) if _UUID.fullmatch(screening) else None
    if row is None:
        raise NothingToErase("--screening: there is no entry of that id in the log")
    if row.kind != "screening":
        raise NothingToErase(f"--screening: entry {row.idx} is of the kind {row.kind}; give a screening's id")
    if row.payload is None:
        erasure = erasure_of(store, screening)
        if erasure is None:
            raise LogError(f"entry {row.idx}: its payload is gone, and no erasure entry names it; verify the log")
        click.echo(f"erased already: entry {row.idx}, by entry {erasure.index} at {erasure.at} ({reason_of(erasure)})")
    finder = CaseEntries(store, screenings={screening}, progress=_progress)
    erase_found(store, finder.look, order, done, looked=row.idx)
    done.unreadable = finder.unreadable


def _erase_case(store: LogStore, case_ref: str, order: Order, done: Erased) -> None:
    finder = CaseEntries(store, case_ref, progress=_progress)
    erase_found(store, finder.look, order, done)
    done.unreadable = finder.unreadable
    if not (done.kinds or done.finished or done.unreadable):
        raise NothingToErase(
            "--case-ref: no entry holds it; one erased before can no longer be told from one that never was"
        )


def _check(open_store: Open, database: Path, done: Erased) -> None:
    left = remains(database, done.traces)
    if left:
        click.echo(f"found {left[0]}, from before this version of the log; writing the database anew")
        with opened_log(open_store) as store:
            rewrite(store)
        left = remains(database, done.traces)
    if left:
        raise LogCommandError(f"remains of {left[0]} ({len(left)} in all): treat this file as one that holds case data")
    names = ", ".join(path.name for path in files_of(database))
    searched = f"{len(sampled(done.traces))} of {len(done.traces)} entries"
    click.echo(f"checked: {names} hold neither salt nor packed payload (searched for: {searched})")


def _say_what_was_done(done: Erased) -> None:
    if not done.kinds:
        click.echo("nothing more to erase")
        return
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(done.kinds.items()))
    entries = ", ".join(map(str, done.recorded_at[:20])) + (", ..." if len(done.recorded_at) > 20 else "")
    click.echo(f"erased: {sum(done.kinds.values())} entries ({kinds}); recorded as entry {entries}")


def _counted(targets: list[Target]) -> str:
    kinds = [target.kind for target in targets]
    counts = ", ".join(f"{kind} {kinds.count(kind)}" for kind in sorted(set(kinds)))
    return f"{len(targets)} entries ({counts})" if targets else "nothing"


def _progress(done: int, of: int) -> None:
    if done and done % _PROGRESS_ENTRIES == 0:
        click.echo(f"{time_text(time.time_ns())[11:19]} read {done} of {of} entries", err=True)


def _checked_by(_context: click.Context, _option: click.Parameter, by: str) -> str:
    if by not in ROLES and not KEY_ID.fullmatch(by):
        raise click.BadParameter(f"give a key's id or one of {', '.join(sorted(ROLES))}")
    return by


def _checked_note(_context: click.Context, _option: click.Parameter, note: str | None) -> str | None:
    if note is not None and (not _NOTE.fullmatch(note) or identifier_kind(note)):
        raise click.BadParameter("give a code of at most 32 small letters, digits, dots and hyphens, and no identifier")
    return note
