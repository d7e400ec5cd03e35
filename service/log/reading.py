"""Which log the reading commands of `python -m service log` read: this service's, or another database's by its key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from service.log.checkpoint import VerifierKey
from service.log.read_only import ReadOnlyLog
from service.log.reader import LogReader

F = TypeVar("F", bound=Callable[..., Any])
key_option = click.option(
    "--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The log's public key (.pub)."
)


def _checked_url(_context: click.Context, _option: click.Parameter, url: str | None) -> str | None:
    try:
        parsed = None if url is None else make_url(url)
    except ArgumentError:
        parsed = make_url("nothing://")
    if parsed is not None and parsed.drivername != "postgresql":
        raise click.BadParameter("give postgresql://user@host/name")
    if parsed is not None and parsed.password is not None:
        raise click.BadParameter("leave the password out, for others see this line; use libpq's password file")
    return url


_database_option = click.option(
    "--database",
    metavar="URL",
    callback=_checked_url,
    help="Read the log in this PostgreSQL database, as a role that may only read; needs --key.",
)


def reads(command: F) -> F:
    """Adds the options `--database` and `--key`."""
    return _database_option(key_option(command))


def check_key_is_of_database(database: str | None, key: Path | None) -> None:
    """Raises `click.UsageError` where a key is named and no database that it is of."""
    if database is None and key is not None:
        raise click.UsageError("--key goes with --database; without either it is the log of this service")


def chosen(own: Callable[[], LogReader], database: str | None, key: Path | None) -> LogReader:
    """The log that the options name, opened; `own` opens this service's. Raises `LogError`, `SigningKeyError`."""
    if database is None:
        return own()
    if key is None:
        raise click.UsageError("a database is read with its log's public key: --key FILE")
    return ReadOnlyLog.open(database, VerifierKey.parse(key.read_text(encoding="utf-8")))
