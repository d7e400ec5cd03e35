"""What is wrong with a file of cases: collected line by line, shown up to a limit, and then nothing is written."""

from __future__ import annotations

from pathlib import Path

SHOWN = 20
HEADER_LINES = 1


class BatchError(ValueError):
    """A job that cannot be done; a line a problem, none with a value of a case. Nothing is logged or written."""


class Problems:
    """The problems of one file, in the order of the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: list[str] = []
        self._count = 0

    def __bool__(self) -> bool:
        return self._count > 0

    def add(self, row: int, column: str, what: str) -> None:
        """A problem in a row (from 0)."""
        self.add_line(row + 1 + HEADER_LINES, f"column {column}: {what}")

    def add_line(self, line: int, what: str) -> None:
        """A problem in a line of the file (from 1, the header's line)."""
        self._count += 1
        if len(self._found) < SHOWN:
            self._found.append(f"{self._path}: line {line}, {what}")

    def check(self) -> None:
        """Raises `BatchError` where there is any problem."""
        if not self._count:
            return
        rest = self._count - len(self._found)
        raise BatchError("\n".join([*self._found, *([f"{self._path}: and {rest} more"] if rest else [])]))
