"""Where logged entries come from: the live log, or the file of an export. Both stream, so memory stays bounded."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import orjson

from service.log.export import FORMAT as EXPORT_FORMAT
from service.log.reader import LogReader
from service.log.stored import LogDamaged


class ReplayError(RuntimeError):
    """A replay that cannot be run. One line with the fix, without case data."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One entry as the log has it. `format` is its leaf's; an entry whose leaf cannot be read has kind ''.

    `payload` gives the payload's bytes, None once erased, and raises `LogDamaged` where they cannot be read.
    """

    index: int
    entry_id: str
    kind: str
    format: int
    payload: Callable[[], bytes | None]


class Source(Protocol):
    """A log to replay."""

    size: int

    def entries(self, start: int, stop: int) -> Iterator[Logged]:
        """The entries `start` to `stop` (exclusive). Raises `ReplayError` or `LogError`."""

    def picked(self, indexes: Collection[int]) -> Iterator[Logged]:
        """The entries at those indexes, in the log's order."""

    def find(self, entry_id: str) -> int | None:
        """The index of the entry of that id, or None."""


class LiveLog:
    """The log of this service, up to its newest checkpoint."""

    def __init__(self, store: LogReader) -> None:
        self._store = store
        self.size = store.verifier_key.open(store.latest_checkpoint()).size

    def entries(self, start: int, stop: int) -> Iterator[Logged]:
        """The entries, unpacked only where their payload is asked for."""
        for row in self._store.rows(start, min(stop, self.size)):
            yield _logged(row.idx, row.leaf, partial(self._store.unpacked, row))

    def picked(self, indexes: Collection[int]) -> Iterator[Logged]:
        """One look each."""
        for index in sorted(indexes):
            yield from self.entries(index, index + 1)

    def find(self, entry_id: str) -> int | None:
        """By the log's own index; damage to the entry does not matter here."""
        try:
            found = self._store.get(entry_id)
        except LogDamaged as damaged:
            return damaged.index
        return None if found is None else found.index


class ExportFile:
    """An export (JSON Lines). Read line by line; what is not an export is refused by line number."""

    def __init__(self, path: Path) -> None:
        """Raises `ReplayError` where the first line is not the header of an export."""
        self._path = path
        with path.open("rb") as lines:
            header = self._parsed(1, lines.readline())
        if header.get("format") != EXPORT_FORMAT or type(header.get("size")) is not int:
            raise ReplayError(f"{path}: not an export of format {EXPORT_FORMAT}; write one with the command log export")
        self.size: int = header["size"]

    def entries(self, start: int, stop: int) -> Iterator[Logged]:
        """The entries of the file; one that is cut short is refused when its end is reached."""
        with self._path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if number - 2 >= stop:
                    return
                # The header is line 1, so entry i stands on line i + 2: those before `start` need no reading.
                if number - 2 < start:
                    continue
                content = self._parsed(number, line)
                if "checkpoint" in content:
                    return
                yield self._entry(number, content)
        if stop >= self.size:
            raise ReplayError(f"{self._path}: ends without a checkpoint: it was cut short; export it again")

    def picked(self, indexes: Collection[int]) -> Iterator[Logged]:
        """In one pass."""
        return (entry for entry in self.entries(0, max(indexes, default=-1) + 1) if entry.index in indexes)

    def find(self, entry_id: str) -> int | None:
        """In one pass."""
        return next((entry.index for entry in self.entries(0, self.size) if entry.entry_id == entry_id), None)

    def _entry(self, number: int, content: dict[str, Any]) -> Logged:
        leaf, payload = content.get("leaf"), content.get("payload")
        if not isinstance(leaf, str) or not isinstance(payload, str | None):
            raise ReplayError(f"{self._path}: line {number} is not an entry of an export; export the log again")
        index = number - 2

        def read() -> bytes | None:
            if payload is None and content.get("salt") is not None:
                raise LogDamaged(index, "its payload was not readable when it was exported")
            return None if payload is None else payload.encode(errors="replace")

        return _logged(index, leaf.encode(errors="replace"), read)

    def _parsed(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            content = orjson.loads(line)
        except orjson.JSONDecodeError:
            content = None
        if not isinstance(content, dict):
            raise ReplayError(f"{self._path}: line {number} is not a JSON object; export the log again")
        return content


def _logged(index: int, leaf: bytes, payload: Callable[[], bytes | None]) -> Logged:
    """Reads a leaf more loosely than a verifier: a format not known yet must still be told by its number."""
    try:
        said = orjson.loads(leaf)
        return Logged(index, str(said["entry"]), str(said["kind"]), int(said["format"]), payload)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return Logged(index, "", "", 0, payload)


def sample(entries: Iterable[Logged], count: int, seed: int) -> set[int]:
    """Indexes of `count` screenings (fewer if there are fewer), drawn by the SHA-256 of seed and entry id.

    Nobody can choose which entries are drawn without choosing the seed, and the same seed draws the same ones from the
    log, from its export, and in `python -m training replay`.
    """
    drawn = ((draw(seed, entry.entry_id), entry.index) for entry in entries if entry.kind in ("screening", ""))
    return {index for _, index in heapq.nsmallest(count, drawn)}


def draw(seed: int, entry_id: str) -> bytes:
    """Where an entry stands in the lot: the lowest are drawn."""
    return sha256(f"{seed} {entry_id}".encode()).digest()
