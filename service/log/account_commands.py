"""The commands `log models`, `log looks` and `log responses`: one question each, for a person or as JSON."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click
import orjson

from service.log.accounts import BREAKDOWNS, looks, models, responses, share
from service.log.disclosure import THRESHOLD
from service.log.reader import LogReader
from service.log.reading import reads

Opened = Callable[[str | None, Path | None], AbstractContextManager[LogReader]]
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of text, a line an account.")
_TITLES = {"agency": "by agency", "level": "by the prompt's level", "model": "by model"}


def account_commands(opened: Opened) -> list[click.Command]:
    """The three commands; `opened` opens the log and turns its errors into one line each."""

    @click.command("models")
    @_JSON
    @reads
    def models_command(as_json: bool, database: str | None, key: Path | None) -> None:
        """Which model was live when, and which gates its release overrode."""
        with opened(database, key) as log:
            for account in models(log):
                click.echo(_dumped(account) if as_json else _model_line(account))

    @click.command("looks")
    @_JSON
    @reads
    def looks_command(as_json: bool, database: str | None, key: Path | None) -> None:
        """Who looked at what in the log, and when."""
        with opened(database, key) as log:
            for account in looks(log):
                click.echo(_dumped(account) if as_json else _look_line(account))

    @click.command("responses")
    @_JSON
    @reads
    def responses_command(as_json: bool, database: str | None, key: Path | None) -> None:
        """How often practitioners decided otherwise than the prompt. Small counts are not shown."""
        with opened(database, key) as log:
            account = responses(log)
        click.echo(_dumped(account) if as_json else "\n".join(_response_lines(account)))

    return [models_command, looks_command, responses_command]


def _dumped(account: dict[str, Any]) -> str:
    return orjson.dumps(account).decode()


def _model_line(account: dict[str, Any]) -> str:
    gates = ", ".join(f"{one['gate']} ({one['reason']}, by {one['by']})" for one in account["gates_overridden"])
    return "  ".join(
        (
            f"{account['from']} to {account['until'] or 'now'}",
            f"{account['version'] or '(erased)'}{' (synthetic)' if account['synthetic'] else ''}",
            f"starts {account['starts']}, of which after no stop {account['starts_after_no_stop']}",
            f"gates overridden: {gates or 'none'}",
        )
    )


def _look_line(account: dict[str, Any]) -> str:
    head = f"{account['at']}  entry {account['entry']}  {account['kind']}"
    if account["erased"]:
        return f"{head}  (erased)"
    what = "  ".join(f"{name}={_plain(value)}" for name, value in account["looked_at"].items())
    if account["key_id"] is None:
        return f"{head}  by a command on the machine  {what}"
    return f"{head}  key {account['key_id']} ({account['role']}, {account['agency'] or 'any agency'})  {what}"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _response_lines(account: dict[str, Any]) -> list[str]:
    lines = [f"{account['screenings']} screenings; the newest response to each counts: {share(account['all'])}"]
    for name in BREAKDOWNS:
        lines += [_TITLES[name], *(f"  {group}: {share(counts)}" for group, counts in account[name].items())]
    lines += ["reasons for deciding otherwise"]
    lines += [f"  {code}: {'not shown' if n is None else n}" for code, n in account["reasons"].items()]
    if account["erased"]:
        lines.append(f"{account['erased']} responses were erased and are not counted")
    lines.append(f"Counts under {THRESHOLD} are not shown, nor others that would give them away.")
    return lines
