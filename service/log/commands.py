"""The commands of `python -m service log`: verify, export, prove, check, checkpoint, witness; the accounts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import click
import orjson

from service.log.account_commands import account_commands
from service.log.command_errors import opened_log, plain_errors
from service.log.consistency_commands import add_consistency_commands
from service.log.export_file import export_to_file, export_to_stream
from service.log.manifest import FORMS, Form
from service.log.proof_check import check_proof_command
from service.log.reader import LogReader
from service.log.reading import check_key_is_of_database, chosen, reads
from service.log.schema import LogError
from service.log.store import LogStore
from service.log.verify_command import verify_command
from service.log.witness_command import witness_command


def log_commands(open_store: Callable[[], LogStore], read_log: Callable[[], LogReader]) -> click.Group:
    """The group `log`; `open_store` opens this service's log for what is recorded, `read_log` for all else."""

    def opened(database: str | None, key: Path | None) -> AbstractContextManager[LogReader]:
        check_key_is_of_database(database, key)
        return opened_log(lambda: chosen(read_log, database, key))

    @click.group()
    def log() -> None:
        """Verify, export and prove the explanation log."""

    log.add_command(verify_command(read_log))

    @log.command("export")
    @click.option(
        "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="- for standard output."
    )
    @click.option("--format", "form", type=click.Choice(FORMS), default="jsonl", help="Only jsonl proves anything.")
    @click.option("--from", "start", type=click.IntRange(0), default=0, help="Index of the first entry.")
    @click.option("--to", "stop", type=click.IntRange(0), help="Index after the last entry.")
    @reads
    def export_command(
        out: Path, form: Form, start: int, stop: int | None, database: str | None, key: Path | None
    ) -> None:
        """Write the log, or a part, and OUT.manifest.json. It holds case data: keep it as safe as the log."""
        if str(out) == "-" and form != "jsonl":
            raise click.UsageError("standard output takes jsonl alone: --out FILE")
        # Of this service's log an export is an entry; in another's database nobody who may only read can make one.
        own = database is None and key is None
        with plain_errors(), opened_log(open_store) if own else opened(database, key) as store:
            if str(out) == "-":
                export_to_stream(store, sys.stdout.buffer, start, stop)
                return
            manifest = export_to_file(store, out, form, start, stop)
        said = "no entry tells of it" if manifest.recorded_at is None else f"the export is entry {manifest.recorded_at}"
        click.echo(f"exported {manifest.entries} entries to {out}; {said}")

    @log.command("prove")
    @click.argument("entry_id")
    @reads
    def prove_command(entry_id: str, database: str | None, key: Path | None) -> None:
        """Print the proof (JSON) that an entry is in the log: its leaf, the path and the signed checkpoint."""
        with plain_errors(), opened(database, key) as store:
            click.echo(orjson.dumps(proof_of(store, entry_id.lower())).decode())

    log.add_command(check_proof_command)
    log.add_command(witness_command)
    add_consistency_commands(log, opened, plain_errors)

    @log.command("checkpoint")
    @reads
    def checkpoint_command(database: str | None, key: Path | None) -> None:
        """Print the newest signed checkpoint."""
        with plain_errors(), opened(database, key) as store:
            note = store.latest_checkpoint()
            store.verifier_key.open(note)
        click.echo(note, nl=False)

    @contextmanager
    def plainly_opened(database: str | None, key: Path | None) -> Iterator[LogReader]:
        with plain_errors(), opened(database, key) as store:
            yield store

    for command in account_commands(plainly_opened):
        log.add_command(command)
    return log


def proof_of(store: LogReader, entry_id: str) -> dict[str, object]:
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
