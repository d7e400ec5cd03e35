"""The command `log verify`: an export, a part of one with its manifest, or a live log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
import orjson

from service.log.checkpoint import CheckpointError, VerifierKey
from service.log.command_errors import LogCommandError, opened_log, plain_errors
from service.log.export import export_lines
from service.log.manifest_command import show_manifest
from service.log.part_verifier import is_part, verify_part
from service.log.reader import LogReader
from service.log.reading import chosen, reads
from service.log.record import Record, RecordError, read_record
from service.log.verifier import Problem, Report, verify

_MOST_SHOWN = 20


def verify_command(read_log: Callable[[], LogReader]) -> click.Command:
    """The command; `read_log` opens this service's log."""

    @click.command("verify")
    @click.argument("export", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @reads
    @click.option(
        "--since",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Earlier checkpoints: a checkpoint, or the file of all published ones.",
    )
    @click.option(
        "--record",
        "records",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A receipt: an answer as it was received, or its record. Again for more.",
    )
    @click.option("--manifest", is_flag=True, help="Check EXPORT.manifest.json too; for CSV and Parquet it is needed.")
    def command(
        export: Path | None,
        database: str | None,
        key: Path | None,
        since: Path | None,
        records: tuple[Path, ...],
        manifest: bool,
    ) -> None:
        """Verify an EXPORT with a public key, offline; without EXPORT, the live log."""
        if export is not None and database is not None:
            raise click.UsageError("either an EXPORT is verified or a database")
        if export is not None and key is None:
            raise click.UsageError("an export is verified with its log's public key: --key FILE")
        if manifest and not _manifest_leads_on(export, key):
            return
        with plain_errors():
            held = [_record(path) for path in records]
            if export is None:
                report = _verify_live(lambda: chosen(read_log, database, key), key, since, held)
            else:
                report = _verify_file(export, key, since, held)
        _show(report)

    return command


def read_checkpoints(path: Path) -> list[str]:
    """The checkpoints in a file: one note, or JSON lines as the publisher keeps them.

    They are notes; whether the log's key signed each, `verify` says. A line that a crash left half written is passed
    over with a warning. Raises `CheckpointError` where the file holds none.
    """
    text = path.read_text(encoding="utf-8")
    if not text.startswith("{"):
        return [text]
    notes = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            notes.append(str(orjson.loads(line)["checkpoint"]))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            click.echo(f"warning: {path}, line {number}: not a checkpoint, passed over", err=True)
    if not notes:
        raise CheckpointError(f"{path}: holds no checkpoint")
    return notes


def _record(path: Path) -> Record:
    try:
        return read_record(path.read_bytes())
    except RecordError as error:
        raise LogCommandError(f"{path}: {error}") from None


def _manifest_leads_on(export: Path | None, key: Path | None) -> bool:
    """Checks and shows a manifest; whether the export itself is of a form that can be verified."""
    if export is None or key is None:
        raise click.UsageError("a manifest is that of an export: verify EXPORT --key FILE --manifest")
    with plain_errors():
        return show_manifest(export, VerifierKey.parse(key.read_text(encoding="utf-8")))


def _verify_file(export: Path, key: Path | None, since: Path | None, records: list[Record]) -> Report:
    assert key is not None
    public = VerifierKey.parse(key.read_text(encoding="utf-8"))
    with export.open("rb") as lines:
        part = is_part(lines.readline())
        lines.seek(0)
        if part and (since is not None or records):
            raise click.UsageError("a part proves its own entries alone; --since and --record need the whole log")
        return verify_part(lines, public) if part else verify(lines, public, _earlier(since), records)


def _verify_live(
    read_log: Callable[[], LogReader], key: Path | None, since: Path | None, records: list[Record]
) -> Report:
    with opened_log(read_log) as store:
        public = store.verifier_key if key is None else VerifierKey.parse(key.read_text(encoding="utf-8"))
        beside: list[Problem] = []

        def note_fault(index: int, what: str) -> None:
            if len(beside) < _MOST_SHOWN:
                beside.append(Problem(index, what))

        report = verify(export_lines(store, note_fault), public, _earlier(since), records)
        report.problems.extend(beside)
        return report


def _earlier(since: Path | None) -> list[str]:
    return [] if since is None else read_checkpoints(since)


def _show(report: Report) -> None:
    for caveat in report.caveats:
        click.echo(f"note: {caveat}")
    if report.ok and report.records:
        click.echo(f"records: {report.records} are of entries of this log")
    if report.ok and report.checkpoint is not None:
        click.echo(f"verified: {report.size} entries, root {report.checkpoint.root.hex()}")
        return
    for problem in report.problems[1:_MOST_SHOWN]:
        click.echo(f"also: {problem}", err=True)
    raise LogCommandError(f"the log does not verify: {report.problems[0]}")
