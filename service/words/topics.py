"""Reads the words of a topic. A sentence that a page asks for and the file does not hold is an error, never a blank."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


class WordsMissing(RuntimeError):
    """A page asks for words that the topic's file does not hold; one line."""


class Topic:
    """The sentences of a topic, by name; a table in the file is a topic inside it.

    Not a mapping: Jinja takes a `LookupError` for "nothing there" and would show a blank.
    """

    def __init__(self, name: str, words: dict[str, Any]) -> None:
        self._name = name
        self._words = {key: self._inner(key, value) for key, value in words.items()}

    def _inner(self, key: str, value: Any) -> Any:
        return Topic(f"{self._name}.{key}", value) if isinstance(value, dict) else value

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        return self[key]

    def __getitem__(self, key: str) -> Any:
        try:
            return self._words[key]
        except KeyError:
            raise WordsMissing(
                f"service/words/{self._name.split('.')[0]}.toml: {self._name}.{key} is missing"
            ) from None

    def __contains__(self, key: object) -> bool:
        return key in self._words

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)


def topics() -> tuple[str, ...]:
    """The names of all topics."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def topic(name: str) -> Topic:
    """The words of a topic. Raises `WordsMissing` where there is no file of that name, or it is not TOML."""
    path = FOLDER / f"{name}.toml"
    try:
        return Topic(name, tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WordsMissing(f"service/words/{name}.toml: cannot be read: {error}") from None
