"""What the endpoints write to and read back from the log: refusals, receipts, and a record as it was shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from service.access.keys import Caller
from service.errors import Problem, problem
from service.log.canonical import canonical_bytes
from service.log.erasure import erasure_of
from service.log.store import LogDamaged, LogStore, NotDurable, Receipt, StoredEntry
from service.running.telemetry import logger
from service.screening.reading import agencies_of

RETRY_AFTER = "1"
"""Seconds after which to send again what could not be recorded."""


def record(append: Callable[[], Receipt]) -> Receipt:
    """The receipt of an append, or the problem of a log that cannot be written. Raises `Problem`."""
    try:
        return append()
    except NotDurable:
        raise not_recorded() from None


def not_recorded() -> Problem:
    """The problem of a log that cannot be written: nothing may be shown."""
    return problem("not_recorded", Retry_After=RETRY_AFTER)


def record_refusal(refusal: Problem, caller: Caller, log: LogStore) -> None:
    """A refused request is an entry too: codes and field names, never values. Raises `Problem`."""
    payload = {
        "caller": {"key_id": caller.key_id, "role": caller.role},
        "code": refusal.code,
        "fields": sorted({error.field for error in refusal.errors}),
        "status": refusal.status,
    }
    record(lambda: log.append("refusal", canonical_bytes(payload)))


def recorded(read: Callable[[], StoredEntry | None]) -> StoredEntry | None:
    """An entry out of the log, or the problem of one that is damaged. Raises `Problem`."""
    try:
        return read()
    except LogDamaged as damaged:
        logger().error("log_damaged", index=damaged.index)
        raise problem("record_damaged") from None


def recorded_screening(screening_id: str, log: LogStore) -> tuple[StoredEntry, dict[str, Any]]:
    """A screening's entry and its payload. Raises `Problem`: `not_found`, `erased` or `record_damaged`."""
    entry = recorded(lambda: log.get(screening_id))
    if entry is None or entry.kind != "screening":
        raise problem("not_found")
    if entry.payload is None:
        raise problem(_why_gone(screening_id, log))
    payload: dict[str, Any] = orjson.loads(entry.payload)
    return entry, payload


def looked_at(screening_id: str, caller: Caller, log: LogStore) -> tuple[StoredEntry, dict[str, Any]]:
    """A screening that this caller made, or their agency alone, or any for an auditor; the look is recorded first.

    Of a pooled view only the holder of the key that asked sees the whole: each agency told them what it knows, and not
    the others.

    Raises `Problem`: `not_found`, `erased`, `record_damaged` or `not_recorded`.
    """
    entry, payload = recorded_screening(screening_id, log)
    if caller.role != "auditor" and not (caller.holds(payload["caller"]["key_id"]) or _of_agency(payload, caller)):
        raise problem("not_found")
    looked = {"caller": {"key_id": caller.key_id, "role": caller.role}, "screening_id": screening_id}
    record(lambda: log.append("lookup", canonical_bytes(looked)))
    return entry, payload


def with_record(answer: bytes, receipt: Receipt | StoredEntry, origin: str) -> bytes:
    """The bytes shown and logged, and behind them the receipt that is not part of what is logged."""
    shown = {
        "log": origin,
        "index": receipt.index,
        "leaf_hash": receipt.leaf_hash,
        "at": receipt.at,
        "checkpoint": receipt.checkpoint,
    }
    return b"".join((memoryview(answer)[:-1], b',"record":', orjson.dumps(shown), b"}"))


def _of_agency(payload: dict[str, Any], caller: Caller) -> bool:
    asked = payload["asked"]
    return caller.agency is not None and "observations" not in asked and agencies_of(asked) == (caller.agency,)


def _why_gone(screening_id: str, log: LogStore) -> str:
    """The problem's code: a payload that no erasure entry names was taken by other hands."""
    erasure = recorded(lambda: erasure_of(log, screening_id))
    return "record_damaged" if erasure is None else "erased"
