"""A record: the receipt in an answer, as whoever got the answer kept it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import orjson

from service.log.checkpoint import CheckpointError, read_unverified

_HASH = re.compile(r"[0-9a-f]{64}")


class RecordError(ValueError):
    """Not a record; one line that names what is missing, without case data."""


@dataclass(frozen=True, slots=True)
class Record:
    """That the entry at `index` has this leaf hash (64 hexadecimal digits), under a signed checkpoint (a note)."""

    log: str
    index: int
    leaf_hash: str
    checkpoint: str


def read_record(text: bytes | str) -> Record:
    """The record in a whole answer or by itself, as JSON. Raises `RecordError`."""
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise RecordError("not JSON; give the answer as it was received, or its `record`") from None
    if isinstance(said, dict) and isinstance(said.get("record"), dict):
        said = said["record"]
    if not isinstance(said, dict):
        raise RecordError("not an answer, nor a record")
    for name, kind in (("log", str), ("index", int), ("leaf_hash", str), ("checkpoint", str)):
        if type(said.get(name)) is not kind:
            raise RecordError(f"the record's `{name}` is missing or of another type")
    if said["index"] < 0 or not _HASH.fullmatch(said["leaf_hash"]):
        raise RecordError("the record's `index` or `leaf_hash` is malformed")
    try:
        size = read_unverified(said["checkpoint"]).size
    except CheckpointError as error:
        raise RecordError(f"the record's `checkpoint`: {error}") from None
    if size <= said["index"]:
        raise RecordError("the record's `checkpoint` does not cover its entry")
    return Record(said["log"], said["index"], said["leaf_hash"], said["checkpoint"])
