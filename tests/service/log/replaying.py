"""Runs `log replay` as the command line does, and makes copies of exports that nobody verified."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.log.export import export_lines
from service.log.store import LogStore
from service.replay.command import replay_command
from service.settings import Settings

GOLDEN = Path(__file__).parents[2] / "golden" / "log"
REPLAY = GOLDEN / "format-1.replay"

Run = Callable[..., Result]


def runner(settings: Settings) -> Run:
    """The command for a service; `store` is its open log, where the live log is to be replayed."""

    def refuse() -> LogStore:
        pytest.fail("the live log was opened")

    def run(*arguments: object, store: LogStore | None = None) -> Result:
        opened = refuse if store is None else lambda: _Kept(store)
        return CliRunner().invoke(replay_command(lambda: settings, opened), [str(each) for each in arguments])

    return run


class _Kept:
    """A store that is another's to close."""

    def __init__(self, store: LogStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return (lambda: None) if name == "close" else getattr(self._store, name)


def exported(log: LogStore, path: Path) -> Path:
    path.write_bytes(b"".join(export_lines(log)))
    return path


def altered(path: Path, change: Callable[[int, dict], None]) -> Path:
    """An unverified copy of an export, changed line by line (index, line)."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for index, line in enumerate(lines[1:-1]):
        change(index, line)
    copy = path.with_name("altered.jsonl")
    copy.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return copy


def golden(run: Run, export: Path, *arguments: object) -> Result:
    return run("--export", export, "--models", REPLAY / "models", "--keys", REPLAY / "keys", *arguments)
