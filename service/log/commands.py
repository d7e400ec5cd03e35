"""The commands of `python -m service log`: verify, export, prove, check, checkpoint, witness; the accounts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click
import orjson
from sqlalchemy.exc import SQLAlchemyError

from service.log.account_commands import account_commands
from service.log.checkpoint import CheckpointError, SigningKeyError, VerifierKey
from service.log.consistency_commands import add_consistency_commands
from service.log.export import export_lines
from service.log.export_file import export_to_file, export_to_stream
from service.log.manifest import FORMS, Form
from service.log.manifest_command import show_manifest
from service.log.part_verifier import is_part, verify_part
from service.log.proof_check import check_proof_command
from service.log.record import Record, RecordError, read_record
from service.log.schema import LogError
from service.log.store import LogStore
from service.log.verifier import Problem, Report, verify
from service.log.witness_command import witness_command
from service.log.writer import reason

_MOST_SHOWN = 20


class LogCommandError(click.ClickException):
    """Ends a command with one line on standard error and exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Writes the line."""
        click.echo(f"error: {self.message}", err=True, file=file)


def log_commands(open_store: Callable[[], LogStore]) -> click.Group:
    """The group `log`; `open_store` opens the live log where a command needs it."""

    @click.group()
    def log() -> None:
        """Verify, export and prove the explanation log."""

    @log.command("verify")
    @click.argument("export", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Public key (.pub).")
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
    def verify_command(
        export: Path | None, key: Path | None, since: Path | None, records: tuple[Path, ...], manifest: bool
    ) -> None:
        """Verify an EXPORT with a public key, offline; without EXPORT, the live log."""
        if export is not None and key is None:
            raise click.UsageError("an export is verified with its log's public key: --key FILE")
        if manifest and not _manifest_leads_on(export, key):
            return
        with _plain_errors():
            held = [_record(path) for path in records]
            if export is None:
                report = _verify_live(open_store, key, since, held)
            else:
                report = _verify_file(export, key, since, held)
        _show(report)

    @log.command("export")
    @click.option(
        "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="- for standard output."
    )
    @click.option("--format", "form", type=click.Choice(FORMS), default="jsonl", help="Only jsonl proves anything.")
    @click.option("--from", "start", type=click.IntRange(0), default=0, help="Index of the first entry.")
    @click.option("--to", "stop", type=click.IntRange(0), help="Index after the last entry.")
    def export_command(out: Path, form: Form, start: int, stop: int | None) -> None:
        """Write the log, or a part, and OUT.manifest.json. It holds case data: keep it as safe as the log."""
        if str(out) == "-" and form != "jsonl":
            raise click.UsageError("standard output takes jsonl alone: --out FILE")
        with _plain_errors(), _opened(open_store) as store:
            if str(out) == "-":
                export_to_stream(store, sys.stdout.buffer, start, stop)
                return
            manifest = export_to_file(store, out, form, start, stop)
        click.echo(f"exported {manifest.entries} entries to {out}; the export is entry {manifest.recorded_at}")

    @log.command("prove")
    @click.argument("entry_id")
    def prove_command(entry_id: str) -> None:
        """Print the proof (JSON) that an entry is in the log: its leaf, the path and the signed checkpoint."""
        with _plain_errors(), _opened(open_store) as store:
            click.echo(orjson.dumps(proof_of(store, entry_id.lower())).decode())

    log.add_command(check_proof_command)
    log.add_command(witness_command)
    add_consistency_commands(log, lambda: _opened(open_store), _plain_errors)

    @log.command("checkpoint")
    def checkpoint_command() -> None:
        """Print the newest signed checkpoint."""
        with _plain_errors(), _opened(open_store) as store:
            click.echo(store.latest_checkpoint(), nl=False)

    for command in account_commands(lambda: _plainly_opened(open_store)):
        log.add_command(command)
    return log


def proof_of(store: LogStore, entry_id: str) -> dict[str, object]:
    """The inclusion proof of an entry under the newest checkpoint; hashes are hexadecimal. Raises `LogError`."""
    entry = store.get(entry_id)
    if entry is None:
        raise LogError("there is no entry of that id in the log")
    note = store.latest_checkpoint()
    size = store.verifier_key.open(note).size
    return {
        "index": entry.index,
        "leaf": entry.leaf.decode(),
        "leaf_hash": entry.leaf_hash,
        "proof": [node.hex() for node in store.inclusion_proof(entry.index, size)],
        "checkpoint": note,
        "key": store.verifier_key.text,
    }


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
    with _plain_errors():
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
    open_store: Callable[[], LogStore], key: Path | None, since: Path | None, records: list[Record]
) -> Report:
    with _opened(open_store) as store:
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


@contextmanager
def _opened(open_store: Callable[[], LogStore]) -> Iterator[LogStore]:
    store = open_store()
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _plainly_opened(open_store: Callable[[], LogStore]) -> Iterator[LogStore]:
    with _plain_errors(), _opened(open_store) as store:
        yield store


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except (LogError, CheckpointError, SigningKeyError, OSError, UnicodeDecodeError) as error:
        raise LogCommandError(str(error)) from None
    except SQLAlchemyError as error:
        raise LogCommandError(f"the log's database cannot be read ({reason(error)})") from None
