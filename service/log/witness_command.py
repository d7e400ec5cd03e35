"""`python -m service log witness`: run it from time to time, by a party other than the log's."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import click

from service.log.checkpoint import VerifierKey
from service.log.cosignature import open_cosigner
from service.log.witness import Alarm, witness
from service.log.witness_source import SourceError, source_of

NOT_CHECKED = 2
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("witness")
@click.option("--from", "where", required=True, help="Address (https://...), folder of checkpoints, or export.")
@click.option("--key", type=_FILE, required=True, help="The log's public key (.pub).")
@click.option("--state", type=click.Path(file_okay=False, path_type=Path), required=True, help="The witness's folder.")
@click.option("--witness-key", type=click.Path(dir_okay=False, path_type=Path), help="Cosign with it; made if absent.")
@click.option("--witness-name", default="witness.invalid", help="The witness's name, used when its key is made.")
@click.option(
    "--export", type=_FILE, help="An export, which shows that a checkpoint from a file continues the kept one."
)
@click.option("--api-key", type=_FILE, help="File with an auditor's API key, for the consistency proof over HTTP.")
def witness_command(
    where: str,
    key: Path,
    state: Path,
    witness_key: Path | None,
    witness_name: str,
    export: Path | None,
    api_key: Path | None,
) -> None:
    """Verify, cosign and keep the log's newest checkpoint; raise the alarm where it contradicts the one kept.

    Exit code 0: consistent and kept. 1: alarm. 2: nothing could be checked, try again.
    """
    try:
        bearer = None if api_key is None else api_key.read_text(encoding="utf-8").strip()
        public = VerifierKey.parse(key.read_text(encoding="utf-8"))
        cosigner = None if witness_key is None else open_cosigner(witness_key, witness_name)
        seen = witness(source_of(where, export, bearer), public, state, cosigner)
    except Alarm as alarm:
        _end(f"ALARM: {alarm}", 1)
    except (SourceError, ValueError, OSError) as error:
        _end(f"not checked: {error}", NOT_CHECKED)
    if seen.key_changed:
        click.echo("note: the log's key changed, signed by the key before and the new one")
    since = "seen for the first time, on trust" if seen.before is None else f"continues the {seen.before} seen before"
    click.echo(f"{'cosigned' if seen.cosigned else 'kept'}: {seen.size} entries, {since}")


def _end(message: str, code: int) -> NoReturn:
    click.echo(f"error: {message}", err=True)
    raise SystemExit(code)
