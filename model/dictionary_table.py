"""A table of a dictionary file that knows where it stands, and notes what is wrong with it in the file's one list.

Who writes a dictionary mends it in one go: a broken rule is noted, and reading goes on with a stand-in. What was read
is handed out only where the list stayed empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

_KINDS: dict[str, tuple[type | tuple[type, ...], Any]] = {
    "text": (str, ""), "number": ((int, float), 0.0), "flag": (bool, False), "list": (list, ()), "table": (dict, {}),
    "whole number": (int, 0),
}  # fmt: skip
"""The types of each kind of value, and what stands in for one that is wrong."""
T = TypeVar("T")


class Table:
    """A TOML table. `where` names the file and the place in it, `errors` is the list of the whole file."""

    def __init__(self, data: Mapping[str, Any], where: str, errors: list[str]) -> None:
        self.data, self.where, self.errors = data, where, errors
        self._before = len(errors)

    @property
    def sound(self) -> bool:
        """True where nothing was noted since this table was opened."""
        return len(self.errors) == self._before

    def note(self, key: str, problem: str) -> None:
        """Notes what is wrong with one key, and the fix."""
        self.errors.append(f"{self.where}: {key}: {problem}")

    def get(self, key: str, kind: str, default: Any = ...) -> Any:
        """A value of the kind named, or the default."""
        types, stand_in = _KINDS[kind]
        value = self.data.get(key, default)
        if value is ...:
            self.note(key, f"is missing; add {key} = ({kind})")
        elif key in self.data and (not isinstance(value, types) or (isinstance(value, bool) and kind != "flag")):
            self.note(key, f"expected a {kind}, found {value!r}")
        else:
            return value
        return stand_in if default is ... else default

    def texts(self, key: str, default: Any = ...) -> tuple[str, ...]:
        """A list of different texts."""
        values = self.get(key, "list", default)
        if any(not isinstance(value, str) or not value for value in values):
            self.note(key, 'expected a list of texts, for instance ["low", "high"]')
            return ()
        if len(set(values)) != len(values):
            self.note(key, "names a value twice; remove one")
        return tuple(values)

    def only(self, allowed: Iterable[str]) -> None:
        """Notes every key that is not one of those allowed."""
        for key in self.data:
            if key not in allowed:
                self.note(key, f"unknown key; allowed are {', '.join(sorted(allowed))}")

    def inner(self, key: str, default: Any = ...) -> Table | None:
        """The table under a key, or None where there is none to read."""
        before = len(self.errors)
        data = self.get(key, "table", default)
        return Table(data, f"{self.where}: {key}", self.errors) if len(self.errors) == before else None

    def each(self, key: str, allowed: Iterable[str], read: Callable[[Table], T | None]) -> tuple[T, ...]:
        """What `read` makes of the tables of a list, without those that it can make nothing of."""
        made: list[T | None] = []
        for number, data in enumerate(self.get(key, "list", []), 1):
            if not isinstance(data, Mapping):
                self.note(f"{key} {number}", f"expected a table; write [[{key}]] above its keys")
                continue
            identity = data.get("name") or data.get("code") or data.get("id")
            table = Table(data, f"{self.where}: {key} {identity or number}", self.errors)
            table.only(allowed)
            made.append(read(table))
        return tuple(each for each in made if each is not None)
