"""The export of the log (JSON Lines, format 1): all that a verifier needs besides the public key.

First line `{"format", "origin", "size"}`; a line an entry `{"index", "leaf", "payload", "salt"}`, where leaf and
payload are texts and salt is hexadecimal (payload and salt null once erased); last line `{"checkpoint"}`.

The header of a part of the log has four more keys: `from` and `to`, the indexes of its first entry and of the one after
its last, and `before` and `after`, the hexadecimal roots of the full subtrees over the entries that it leaves out. With
them the tree's root is worked out from a part alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row

from service.log.checkpoint import read_unverified
from service.log.reader import LogReader
from service.log.schema import LogError
from service.log.stored import LogDamaged, fault_of_row

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Span:
    """Which entries an export holds: `start` to `stop` (exclusive), of the log of `size` entries that `note` signs."""

    note: str
    size: int
    start: int
    stop: int

    @property
    def whole(self) -> bool:
        """Whether it leaves nothing out."""
        return (self.start, self.stop) == (0, self.size)


def span_of(log: LogReader, start: int = 0, stop: int | None = None) -> Span:
    """The span up to the newest checkpoint, or up to `stop`. Raises `ValueError` out of range."""
    note = log.latest_checkpoint()
    size = read_unverified(note).size  # whether it was signed is the verifier's to say, with any key that the log had
    span = Span(note, size, start, size if stop is None else stop)
    if not 0 <= span.start <= span.stop <= size:
        raise ValueError(f"the log has {size} entries; from and to must be within it, from not behind to")
    return span


def export_lines(
    log: LogReader, on_fault: Callable[[int, str], None] | None = None, span: Span | None = None
) -> Iterator[bytes]:
    """The lines of a span, each with its newline; of the whole log by default. Streams; appends may go on meanwhile.

    Damage is exported as it is found, for the verifier to name. `on_fault` is told (index, what) of damage that an
    export does not show: columns that do not belong to the leaf beside them. Raises `LogError`, before the last line,
    where entries were erased meanwhile.
    """
    span = span or span_of(log)
    yield _line(_header(log, span))
    without = False
    for row in log.rows(span.start, span.stop):
        if on_fault is not None and (fault := fault_of_row(row)) is not None:
            on_fault(row.idx, fault)
        without = without or row.payload is None
        yield entry_line(row, payload_of(log, row))
    if without and (erasure := log.latest_of_kind("erasure")) is not None and erasure.index >= span.size:
        # Its entry is behind this export, which would look as if the payload had been taken by other hands.
        raise LogError("entries were erased while this was read; begin again")
    yield _line({"checkpoint": span.note})


def _header(log: LogReader, span: Span) -> dict[str, object]:
    header: dict[str, object] = {"format": FORMAT, "origin": log.verifier_key.name, "size": span.size}
    if span.whole:
        return header
    before, after = log.subtrees(0, span.start), log.subtrees(span.stop, span.size)
    edges = {"before": [node.hex() for node in before], "after": [node.hex() for node in after]}
    return {**header, "from": span.start, "to": span.stop, **edges}


def payload_of(log: LogReader, row: Row[*tuple[Any, ...]]) -> bytes | None:
    """The payload as it is stored; None where it is erased or cannot be read."""
    try:
        return log.unpacked(row)
    except LogDamaged:
        return None  # with its salt still there, which tells it from an erased one


def entry_line(row: Row[*tuple[Any, ...]], payload: bytes | None) -> bytes:
    """The line of one entry. Bytes that are no text stand as replacement characters, which no verifier accepts."""
    return _line(entry_fields(row, payload))


def entry_fields(row: Row[*tuple[Any, ...]], payload: bytes | None) -> dict[str, object]:
    """What `entry_line` writes."""
    return {
        "index": row.idx,
        "leaf": _text(row.leaf),
        "payload": None if payload is None else _text(payload),
        "salt": row.salt.hex() if isinstance(row.salt, bytes) else row.salt,
    }


def _text(raw: bytes | str) -> str:
    # SQLite lets a column hold text where bytes were declared; only a hand from outside puts it there.
    return raw.decode(errors="replace") if isinstance(raw, bytes) else raw


def _line(value: dict[str, object]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
