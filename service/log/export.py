"""The export of the log (JSON Lines, format 1): all that a verifier needs besides the public key.

First line `{"format", "origin", "size"}`; a line an entry `{"index", "leaf", "payload", "salt"}`, where leaf and
payload are texts and salt is hexadecimal (payload and salt null once erased); last line `{"checkpoint"}`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from sqlalchemy import Row

from service.log.store import LogStore
from service.log.stored import LogDamaged, fault_of_row

FORMAT = 1


def export_lines(log: LogStore, on_fault: Callable[[int, str], None] | None = None) -> Iterator[bytes]:
    """The lines, each with its newline, up to the newest checkpoint. Streams; appends may go on meanwhile.

    Damage is exported as it is found, for the verifier to name. `on_fault` is told (index, what) of damage that an
    export does not show: columns that do not belong to the leaf beside them.
    """
    note = log.latest_checkpoint()
    size = log.verifier_key.open(note).size
    yield _line({"format": FORMAT, "origin": log.verifier_key.name, "size": size})
    for row in log.rows(0, size):
        if on_fault is not None and (fault := fault_of_row(row)) is not None:
            on_fault(row.idx, fault)
        yield entry_line(row, _payload(log, row))
    yield _line({"checkpoint": note})


def _payload(log: LogStore, row: Row[*tuple[Any, ...]]) -> bytes | None:
    try:
        return log.unpacked(row)
    except LogDamaged:
        return None  # with its salt still there, which tells it from an erased one


def entry_line(row: Row[*tuple[Any, ...]], payload: bytes | None) -> bytes:
    """The line of one entry. Bytes that are no text stand as replacement characters, which no verifier accepts."""
    return _line(
        {
            "index": row.idx,
            "leaf": _text(row.leaf),
            "payload": None if payload is None else _text(payload),
            "salt": row.salt.hex() if isinstance(row.salt, bytes) else row.salt,
        }
    )


def _text(raw: bytes | str) -> str:
    # SQLite lets a column hold text where bytes were declared; only a hand from outside puts it there.
    return raw.decode(errors="replace") if isinstance(raw, bytes) else raw


def _line(value: dict[str, object]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
