"""The commands of `python -m service key`: API keys, and the log's own signing key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import click

from service.access.key_records import create_recorded_key, revoke_recorded_key, rotate_recorded_key
from service.access.keys import ROLES, StoredKey, read_keys
from service.log.rotation import rotate, settle
from service.log.store import LogStore
from service.running.assembly import LOG_KEY
from service.settings import Settings

_DAYS = click.option("--days", type=float, help="Accept it for so many days; without, until it is revoked.")


def key_commands(settings_of: Callable[[], Settings], open_store: Callable[[], LogStore]) -> click.Group:
    """The group `key`; `open_store` opens the log, in which every key that is made or revoked is an entry."""

    @click.group()
    def key() -> None:
        """Create, list, rotate and revoke API keys; change the log's signing key."""

    @key.command("create")
    @click.option("--role", type=click.Choice(ROLES), required=True)
    @click.option("--agency", help="Bind the key to one agency of the dictionary.")
    @_DAYS
    def create(role: str, agency: str | None, days: float | None) -> None:
        """Make a key: recorded, then shown this once, stored as a digest. Workers accept it within a second."""
        _show(*create_recorded_key(settings_of(), open_store, role, agency, days))

    @key.command("rotate")
    @click.argument("key_id")
    @click.option("--overlap-days", type=float, default=7.0, show_default=True, help="How long the old key works on.")
    @_DAYS
    def rotate_command(key_id: str, overlap_days: float, days: float | None) -> None:
        """Make a key of the same role and agency in the place of KEY_ID."""
        _show(*rotate_recorded_key(settings_of(), open_store, key_id, overlap_days, days))

    @key.command("list")
    def list_command() -> None:
        """List keys: id, role, agency, created, expires, state. Never the keys themselves."""
        now = datetime.now(UTC)
        for stored in read_keys(settings_of().keys).values():
            expires = f"expires {stored.expires}" if stored.expires else "does not expire"
            agency = stored.agency or "any agency"
            click.echo(f"{stored.key_id}  {stored.role}  {agency}  {stored.created}  {expires}  {stored.state(now)}")

    @key.command("revoke")
    @click.argument("key_id")
    def revoke(key_id: str) -> None:
        """Revoke a key and record it. Workers refuse it within a second."""
        revoke_recorded_key(settings_of(), open_store, key_id)
        click.echo(f"revoked {key_id}")

    @key.command("rotate-log")
    def rotate_log() -> None:
        """Change the log's signing key. The change is an entry that the old key signs; workers take the new key up."""
        settings = settings_of()
        done = rotate(settings.log_database, settings.keys / LOG_KEY, settings.origin)
        click.echo(f"old verifier key: {done.previous.text}\nnew verifier key: {done.following.text}")
        click.echo(f"recorded as entry {done.index}; back up {settings.keys / LOG_KEY} now, apart from the log")

    @key.command("settle-log")
    def settle_log() -> None:
        """Finish a change of the log's key that was cut off, or undo it where the log does not hold it."""
        settings = settings_of()
        settle(settings.log_database, settings.keys / LOG_KEY, settings.origin)
        click.echo("the log's key is settled")

    return key


def _show(made: str, stored: StoredKey) -> None:
    click.echo(f"key id: {stored.key_id}\nkey: {made}")
    if stored.expires:
        click.echo(f"expires: {stored.expires}")
