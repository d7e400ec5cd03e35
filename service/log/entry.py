"""What an entry is: its kinds, its leaf (format 1) and its salted commitment to the payload.

A leaf is canonical JSON: {"at", "entry", "format", "kind", "payload"}, where "payload" is the hexadecimal
SHA-256 of the entry's salt followed by the payload's bytes. Erasing salt and payload leaves the leaf as it is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal, NamedTuple, get_args

import orjson

from service.log.canonical import canonical_bytes
from service.log.chance import PIECE, random_piece

FORMAT = 1
SALT_BYTES = PIECE

Kind = Literal[
    "screening",
    "refusal",
    "response",
    "lookup",
    "export",
    "batch",
    "erasure",
    "model_activated",
    "gates_overridden",
    "key_created",
    "key_revoked",
    "service_started",
    "service_stopped",
]
KINDS: frozenset[str] = frozenset(get_args(Kind))

_PIECE = 2047
"""Bytes. Of longer ones hashlib lets go of the interpreter, and on a busy worker another thread takes it: to change
threads costs more than to hash a whole payload."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENTRY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# The whole shape at once: whatever matches is canonical, with exactly these five keys.
_LEAF = re.compile(
    r'\{"at":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z)"'
    r',"entry":"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"'
    r',"format":([0-9]{1,9}),"kind":"([a-z_]{1,64})","payload":"([0-9a-f]{64})"\}'
)


class EntryError(ValueError):
    """An entry that is not of a known shape; the message holds no case data."""


class Leaf(NamedTuple):
    """What a leaf says. `at` is UTC with microseconds; `commitment` is 64 hexadecimal digits."""

    at: str
    entry_id: str
    kind: str
    commitment: str


def uuid7() -> str:
    """A time-ordered identifier (RFC 9562, version 7, method 3: twelve bits of the fraction of the millisecond)."""
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    fraction = nanoseconds * 4096 // 1_000_000
    chance = int.from_bytes(random_piece()) & 0x3FFF_FFFF_FFFF_FFFF
    digits = f"{milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | chance:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def check_entry(kind: str, entry_id: str, payload: bytes) -> None:
    """Raises `EntryError` where the log would hold something that it could not export and verify."""
    if kind not in KINDS:
        raise EntryError(f"unknown kind of entry; known are {', '.join(sorted(KINDS))}")
    if not _ENTRY_ID.fullmatch(entry_id):
        raise EntryError("an entry id must be a UUID in lower case")
    try:
        if not payload.isascii():
            payload.decode()
    except UnicodeDecodeError:
        raise EntryError("a payload must be UTF-8") from None


def commitment(salt: bytes, payload: bytes) -> str:
    """The hexadecimal SHA-256 over salt and payload."""
    digest = sha256(salt)
    update, whole = digest.update, memoryview(payload)
    for begin in range(0, len(payload), _PIECE):
        update(whole[begin : begin + _PIECE])
    return digest.hexdigest()


def time_text(nanoseconds: int) -> str:
    """Nanoseconds since 1970 as the log writes times: UTC, microseconds; such texts sort as the times do."""
    moment = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def leaf_bytes(at: str, entry_id: str, kind: str, committed: str) -> bytes:
    """The leaf's canonical JSON; the keys stand in RFC 8785 order and no value needs an escape."""
    return f'{{"at":"{at}","entry":"{entry_id}","format":1,"kind":"{kind}","payload":"{committed}"}}'.encode()


def read_leaf(leaf: bytes | str) -> Leaf:
    """The leaf's content. Raises `EntryError` for another shape or format."""
    # Only ASCII matches, so what replaces other bytes does not get through.
    match = _LEAF.fullmatch(leaf if isinstance(leaf, str) else leaf.decode("ascii", "replace"))
    if match is None:
        raise EntryError("is not a leaf of format 1")
    at, entry_id, form, kind, committed = match.groups()
    if form != "1":
        raise EntryError("has a format that this version does not know")
    return Leaf(at, entry_id, kind, committed)


def erasure_payload(entry_ids: Iterable[str], reason: str) -> bytes:
    """The payload of an erasure entry: which entries' payloads were erased, and the rule that it was done under."""
    return canonical_bytes({"erased": sorted(entry_ids), "reason": reason})


def erased_ids(payload: bytes | str) -> list[str]:
    """The entries that an erasure entry names; none where its payload is not of that shape."""
    try:
        named = orjson.loads(payload)["erased"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return []
    return [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
