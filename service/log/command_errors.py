"""How the commands of `log` open a log and say what went wrong: one line, exit code 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, TypeVar

import click
from sqlalchemy.exc import SQLAlchemyError

from service.log.checkpoint import CheckpointError, SigningKeyError
from service.log.reader import LogReader
from service.log.schema import LogError
from service.log.store import NotDurable
from service.log.writer import reason

L = TypeVar("L", bound=LogReader)


class LogCommandError(click.ClickException):
    """Ends a command with one line on standard error and exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Writes the line."""
        click.echo(f"error: {self.message}", err=True, file=file)


@contextmanager
def opened_log(open_store: Callable[[], L]) -> Iterator[L]:
    """The log, closed in the end."""
    store = open_store()
    try:
        yield store
    finally:
        store.close()


@contextmanager
def plain_errors(done: str = "read") -> Iterator[None]:
    """Turns what a user can put right into a `LogCommandError`; `done` is what the command does with the database."""
    try:
        yield
    except (LogError, NotDurable, CheckpointError, SigningKeyError, OSError, UnicodeDecodeError) as error:
        raise LogCommandError(str(error)) from None
    except SQLAlchemyError as error:
        raise LogCommandError(f"the log's database cannot be {done} ({reason(error)})") from None
