"""The commands of `python -m service database`: make or upgrade the log's tables, give roles their rights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from service.log.databases import open_database
from service.log.schema import LogError, upgrade


def database_commands(where: Callable[[], Path | str]) -> click.Group:
    """The group `database`; `where` gives the path or URL of the log's database."""

    @click.group()
    def database() -> None:
        """Prepare the log's database, as its owner."""

    @database.command("upgrade")
    def upgrade_command() -> None:
        """Make or upgrade the tables. A service that may do so does it at its start; one with fewer rights may not."""
        opened = open_database(where())
        with opened.lock:
            upgrade(opened.engine)
        opened.engine.dispose()
        opened.lock.close()
        click.echo(f"{opened.name}: up to date")

    @database.command("grant")
    @click.option("--service", default="", help="Role that the service uses: may insert and read.")
    @click.option("--auditor", default="", help="Role for auditors: may read.")
    @click.option("--eraser", default="", help="Role for erasure: may also empty what erasure empties.")
    def grant_command(service: str, auditor: str, eraser: str) -> None:
        """Give PostgreSQL roles their rights on the log's tables, and take others away."""
        url = _url(where())
        if not (service or auditor or eraser):
            raise click.UsageError("name a role: --service ROLE, --auditor ROLE or --eraser ROLE")
        from service.log.databases.roles import grant

        grant(url, service, auditor, eraser)
        granted = [(service, "may insert and read"), (auditor, "may read"), (eraser, "may insert, read and erase")]
        click.echo("; ".join(f"{role} {rights}" for role, rights in granted if role))

    @database.command("clean")
    def clean_command() -> None:
        """Write PostgreSQL's table of entries anew, so that its files hold nothing of what was erased."""
        url = _url(where())
        from service.log.databases.roles import clean

        clean(url)
        click.echo(
            "log_entry was written anew. The write-ahead log holds what was erased until PostgreSQL recycles it (after "
            "the next checkpoints), archives and replicas of it and backups until you remove them"
        )

    return database


def _url(where: Path | str) -> str:
    if isinstance(where, Path):
        raise LogError("the log is a SQLite file, which needs none of this; set GROUNDS_LOG_DATABASE")
    return where
