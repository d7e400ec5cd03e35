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
    def grant_command(service: str, auditor: str) -> None:
        """Give PostgreSQL roles their rights on the log's tables, and take others away."""
        url = where()
        if isinstance(url, Path):
            raise LogError("the log is a SQLite file, which has no roles; set GROUNDS_LOG_DATABASE")
        if not service and not auditor:
            raise click.UsageError("name a role: --service ROLE, --auditor ROLE or both")
        from service.log.databases.roles import grant

        grant(url, service, auditor)
        granted = [(service, "may insert and read"), (auditor, "may read")]
        click.echo("; ".join(f"{role} {rights}" for role, rights in granted if role))

    return database
