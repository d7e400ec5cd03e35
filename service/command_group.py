"""A group of commands that says what is wrong as `error:`, whoever found it: click by itself says `Error:`."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

_OF_CLICK = re.compile("^Error: ", re.MULTILINE)


class Commands(click.Group):
    """The group at the top, whose errors are those of every command below it."""

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        """As click's."""
        with _said_alike():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's."""
        with _said_alike():
            return super().invoke(ctx)


class _SaidAlike(click.ClickException):
    def __init__(self, error: click.ClickException) -> None:
        super().__init__(error.message)
        self.exit_code = error.exit_code  # type: ignore[misc]  # click reads it of the instance
        self._error = error

    def show(self, file: IO[Any] | None = None) -> None:
        """With the usage, where click shows it."""
        said = io.StringIO()
        self._error.show(said)
        click.echo(_OF_CLICK.sub("error: ", said.getvalue(), count=1), file=file, nl=False, err=True)


@contextmanager
def _said_alike() -> Iterator[None]:
    try:
        yield
    except click.ClickException as error:
        raise _SaidAlike(error) from None
