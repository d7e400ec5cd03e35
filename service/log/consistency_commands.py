"""`log prove-consistency` and `log check-consistency`: that a log of one size is how the log of a later size begins."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import click
import orjson

from service.log.checkpoint import VerifierKey
from service.log.consistency import check_consistency, consistency_of
from service.log.reader import LogReader
from service.log.reading import reads

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def add_consistency_commands(
    log: click.Group,
    opened: Callable[[str | None, Path | None], AbstractContextManager[LogReader]],
    plain_errors: Callable[[], AbstractContextManager[None]],
) -> None:
    """Adds both commands to the group `log`."""

    @log.command("prove-consistency")
    @click.argument("earlier", type=click.IntRange(0))
    @click.argument("later", type=click.IntRange(0), required=False)
    @reads
    def prove_command(earlier: int, later: int | None, database: str | None, key: Path | None) -> None:
        """Print the proof (JSON) that the log of EARLIER entries is how the log of LATER (the newest) begins."""
        with plain_errors(), opened(database, key) as store:
            click.echo(orjson.dumps(consistency_of(store, earlier, later)).decode())

    @log.command("check-consistency")
    @click.argument("proof", type=_FILE)
    @click.option("--key", type=_FILE, required=True, help="The log's public key (.pub).")
    @click.option("--kept", type=_FILE, help="A checkpoint that you kept: the proof must begin or end with it.")
    def check_command(proof: Path, key: Path, kept: Path | None) -> None:
        """Check a consistency PROOF offline."""
        with plain_errors():
            public = VerifierKey.parse(key.read_text(encoding="utf-8"))
            note = None if kept is None else kept.read_text(encoding="utf-8")
            earlier, later = check_consistency(proof.read_bytes(), public, note)
        click.echo(f"proved: the log of {earlier} entries is how the log of {later} entries begins")
