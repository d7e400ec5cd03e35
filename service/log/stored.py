"""An entry as read back from the database, checked against its own leaf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from service.log.entry import EntryError, commitment, read_leaf
from service.log.merkle import leaf_hash
from service.log.schema import LogError, log_entry

ENTRY_COLUMNS = tuple(column for column in log_entry.c if column.name != "unique_key")


class LogDamaged(LogError):
    """A stored entry whose bytes do not belong together: changed behind the log's back, or a failing disk."""

    def __init__(self, index: int, what: str) -> None:
        super().__init__(f"entry {index} of the log is damaged: {what}; keep the database and verify the log")
        self.index = index


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry. `payload` is None once erased; `checkpoint` is the first that covers it; hashes are hexadecimal."""

    index: int
    entry_id: str
    kind: str
    at: str
    leaf: bytes
    leaf_hash: str
    payload: bytes | None
    checkpoint: str


def fault_of_row(row: Row[*tuple[Any, ...]]) -> str | None:
    """What does not belong together in the columns beside the leaf, which no export shows; None where all does."""
    if not isinstance(row.leaf, bytes) or not all(
        isinstance(stored, bytes | None) for stored in (row.salt, row.payload)
    ):
        return "there is text, or nothing, where bytes should be"
    try:
        leaf = read_leaf(row.leaf)
    except EntryError as error:
        return f"its leaf {error}"
    if (leaf.entry_id, leaf.kind, leaf.at) != (row.entry_id, row.kind, row.at):
        return "its id, kind or time is not that of its leaf"
    if leaf_hash(row.leaf) != row.leaf_hash:
        return "its leaf hash is not that of its leaf"
    return None


def read_row(row: Row[*tuple[Any, ...]], payload: bytes | None) -> StoredEntry:
    """The entry of a row. Raises `LogDamaged` unless leaf, leaf hash, payload and columns belong together."""
    fault = fault_of_row(row)
    if fault is not None:
        raise LogDamaged(row.idx, fault)
    if payload is not None and commitment(row.salt or b"", payload) != read_leaf(row.leaf).commitment:
        raise LogDamaged(row.idx, "its payload is not the one that its leaf commits to")
    checkpoint = row._mapping.get("checkpoint", "")
    return StoredEntry(row.idx, row.entry_id, row.kind, row.at, row.leaf, row.leaf_hash.hex(), payload, checkpoint)
