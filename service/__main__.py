"""`python -m service ...`: run, serve, keys and the log."""

from __future__ import annotations

import sys

import click

from model.artefact import ArtefactError
from model.dictionary import DictionaryError
from model.explanation import ExplanationError
from model.wording import WordsError
from service.access.key_commands import key_commands
from service.access.key_records import recorded_development_keys
from service.access.keys import KeyFileError
from service.batch.command import screen_commands
from service.batch.problems import BatchError
from service.client.command import client
from service.command_group import Commands
from service.learning.commands import learn_commands
from service.log.checkpoint import SigningKeyError
from service.log.commands import log_commands
from service.log.databases.commands import database_commands
from service.log.erasure_commands import add_erasure_commands
from service.log.reader import LogReader
from service.log.store import LogError, LogStore, NotDurable
from service.pages.assets import AssetsMissing
from service.replay.command import replay_command
from service.running.assembly import conclude, open_log, prepare
from service.running.health import NotHealthy, check_health
from service.running.opening import check_log, read_log
from service.running.reloading import ReloadError, reload
from service.running.server import ServerError, announce_when_ready, check_port, claim_folder, curl_line, serve_workers
from service.settings import Settings, SettingsError, read_settings

EXPECTED = (
    BatchError,
    NotHealthy,
    ReloadError,
    AssetsMissing,
    ArtefactError,
    DictionaryError,
    WordsError,
    KeyFileError,
    SettingsError,
    ServerError,
    LogError,
    NotDurable,
    ExplanationError,
    SigningKeyError,
    OSError,
)


@click.group(cls=Commands)
def main() -> None:
    """The Grounds service: screens cases, records every explanation, answers."""


@main.command()
def serve() -> None:
    """Serve the active model (settings come from GROUNDS_... variables; see docs/how-to/operator.md)."""
    settings = read_settings()
    check_port(settings)
    claim_folder(settings)
    prepared = prepare(settings)
    serve_workers(settings)
    conclude(settings, prepared)


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port on this machine (default 8000 or GROUNDS_PORT).")
def run(port: int | None) -> None:
    """Serve on this machine for trying out: makes development keys and prints a request that works."""
    settings = read_settings() if port is None else _with_port(port)
    check_port(settings)
    claim_folder(settings)
    keys = recorded_development_keys(settings, lambda: open_log(settings))
    prepared = prepare(settings)
    address = f"http://{settings.host}:{settings.port}"
    announce_when_ready(
        settings,
        [
            f"address: {address}",
            f"practitioner key: {keys['practitioner']}",
            f"auditor key: {keys['auditor']}",
            curl_line(address, keys["practitioner"], prepared.released),
        ],
    )
    serve_workers(settings)
    conclude(settings, prepared)


@main.command()
def health() -> None:
    """Ask this machine's service whether it is ready; exit code 1 where not."""
    check_health(read_settings())


@main.command("reload")
def reload_command() -> None:
    """Let the running service take up the active model without dropping a request."""
    released = reload(read_settings())
    click.echo(f"in use: {released.model.version} (sha256 {released.sha256})")


def _with_port(port: int) -> Settings:
    import dataclasses

    return dataclasses.replace(read_settings(), port=port)


def _open_store() -> LogStore:
    return open_log(read_settings())


def _open_there() -> LogStore:
    return open_log(read_settings(), begin=False)


def _read() -> LogReader:
    return read_log(read_settings())


main.add_command(screen_commands(read_settings, lambda: check_log(read_settings()), _open_store, _read))
main.add_command(database_commands(lambda: read_settings().log_database))
_log = log_commands(_open_there, _read)
_log.add_command(replay_command(read_settings, _read))
add_erasure_commands(_log, _open_there)
main.add_command(_log)
main.add_command(key_commands(read_settings, _open_store))
main.add_command(learn_commands(read_settings))
main.add_command(client)


def cli() -> None:
    """Runs a command; what the user can put right is one line and exit code 1, never a traceback."""
    try:
        main(prog_name="python -m service")
    except EXPECTED as error:
        for line in str(error).splitlines() or [""]:
            click.echo(f"error: {line}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    cli()
