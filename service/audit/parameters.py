"""Reads the parameters of requests about the log; each that cannot be used is named with its fix, never repeated."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from flask import request
from werkzeug.datastructures import MultiDict

from service.errors import FieldError, problem, told_once

HIDDEN_PARAMETER = "(a parameter whose name is not shown)"
_NUMBER = re.compile(r"[0-9]{1,15}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_HASH = re.compile(r"[0-9a-f]{64}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Value = TypeVar("Value")


class Unusable(ValueError):
    """A value that cannot be used; the message is the fix."""


class Parameters:
    """The parameters of a request. What is wrong is collected, and `check` raises it all at once."""

    def __init__(self, allowed: Collection[str], given: MultiDict[str, str] | None = None) -> None:
        """`allowed` are the names that this address knows; `given` by default those of the current request."""
        self._given = request.args if given is None else given
        self._errors: list[FieldError] = []
        for name, values in self._given.lists():
            if name not in allowed:
                known = ", ".join(sorted(allowed))
                self._errors.append(FieldError(HIDDEN_PARAMETER, f"is not known here; known are {known}"))
            elif len(values) > 1:
                self._errors.append(FieldError(name, "send it once"))

    def read(self, name: str, reader: Callable[[str], Value]) -> Value | None:
        """The parameter as `reader` reads it; None where it is not given or cannot be used."""
        text = self._given.get(name)
        if text is None:
            return None
        try:
            return reader(text)
        except Unusable as unusable:
            self.refuse(name, str(unusable))
            return None

    def names(self) -> set[str]:
        """Those that were given."""
        return set(self._given)

    def refuse(self, name: str, fix: str) -> None:
        """Collects one thing that is wrong."""
        self._errors.append(FieldError(name, fix))

    def check(self) -> None:
        """Raises `Problem` 400 where anything is wrong."""
        if self._errors:
            raise problem("bad_parameter", told_once(self._errors))


def number(lowest: int, highest: int) -> Callable[[str], int]:
    """Reads a whole number within bounds."""

    def read(text: str) -> int:
        if not _NUMBER.fullmatch(text) or not lowest <= int(text) <= highest:
            raise Unusable(f"send a whole number from {lowest} to {highest}")
        return int(text)

    return read


def one_of(choices: Collection[str]) -> Callable[[str], str]:
    """Reads one of a closed list."""

    def read(text: str) -> str:
        if text not in choices:
            raise Unusable(f"send one of: {', '.join(sorted(choices))}")
        return text

    return read


def code(text: str) -> str:
    """Reads a code or a name: a feature, an agency, a model's version."""
    if not _CODE.fullmatch(text):
        raise Unusable("send a code: up to 64 letters, digits, dots, dashes, colons or underscores")
    return text


def entry_id(text: str) -> str:
    """Reads an entry's id."""
    if not _UUID.fullmatch(text.lower()):
        raise Unusable("send an entry's id: a UUID")
    return text.lower()


def hexadecimal_hash(text: str) -> bytes:
    """Reads 32 bytes."""
    if not _HASH.fullmatch(text.lower()):
        raise Unusable("send 64 hexadecimal digits, as the record's leaf_hash has them")
    return bytes.fromhex(text)


def time_from(text: str) -> str:
    """Reads a time to begin at; a date alone is its midnight in UTC."""
    return _time(text, 0)


def time_to(text: str) -> str:
    """Reads a time to end before; a date alone is included to its end in UTC."""
    return _time(text, 1)


def is_number(text: str) -> bool:
    """Whether a text is a plain whole number, and so no time."""
    return _NUMBER.fullmatch(text) is not None


def _time(text: str, days: int) -> str:
    try:
        if len(text) == len("2026-01-31"):
            midnight = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return _written(midnight + timedelta(days=days))
        # A plus sign in an address stands for a space.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        if moment.tzinfo is None:
            raise Unusable("add Z or the offset to the time")
        return _written(moment)
    except Unusable:
        raise
    except (ValueError, OverflowError):
        raise Unusable("send a date (2026-01-31) or a time (2026-01-31T09:30:00Z)") from None


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
