"""The story of a practitioner's response: whose screening it is, which response it corrects, and its record.

The entries of one screening's responses are numbered: entry n has an id that follows from the screening's id and n, so
the newest is found without an index, and of two that are sent at once only one becomes number n.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from service.access.keys import Caller
from service.errors import FieldError, problem
from service.log.canonical import canonical_bytes
from service.log.projection import POOLED
from service.log.store import AlreadyRecorded, LogStore, Receipt, StoredEntry
from service.records import recorded_screening
from service.screening.idempotency import Once
from service.screening.reading import agencies_of

MOST_RESPONSES = 50
"""To one screening. More are a loop in a sender, not a change of mind."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A response that is in the log: the answer's bytes, canonical, and the receipt of its record."""

    answer: bytes
    receipt: Receipt | StoredEntry


def respond(
    screening_id: str, asked: Mapping[str, Any], log: LogStore, caller: Caller, once: Once | None = None
) -> Recorded:
    """Records what was done about a screening; returns once it is durable.

    `asked` is the validated request; `draft` in it names what was taken up of a card's drafts. `once` is by what the
    log takes it once. Raises `Problem` where the screening is not there for this caller or another response came first,
    and `NotDurable`.
    """
    screening = answerable(screening_id, log, caller)
    number, newest = _newest(screening_id, log)
    while number < MOST_RESPONSES:
        if once is not None and (earlier := once.found(log)) is not None:
            return _repeated(earlier, screening_id, asked)
        if asked.get("corrects") not in (None, newest):
            raise problem("corrects_another", [FieldError("corrects", "name the newest response, or leave it out")])
        response_id = numbered_id(screening_id, number)
        payload = _payload(screening_id, asked, newest, screening, caller)
        try:
            receipt = log.append("response", payload, response_id, None if once is None else once.text)
            return Recorded(_answer(response_id, payload), receipt)
        except AlreadyRecorded:
            # Another one came in between. It is this very request, which is looked up, or one that this one corrects.
            number, newest = _newest(screening_id, log)
    raise problem("too_many_responses")


def responses_to(screening_id: str, log: LogStore) -> list[tuple[StoredEntry, dict[str, Any] | None]]:
    """The responses to a screening, the first one first: entry and payload (None where it was erased)."""
    found: list[tuple[StoredEntry, dict[str, Any] | None]] = []
    for number in range(MOST_RESPONSES):
        entry = log.get(numbered_id(screening_id, number))
        if entry is None:
            break
        found.append((entry, None if entry.payload is None else orjson.loads(entry.payload)))
    return found


def numbered_id(screening_id: str, number: int) -> str:
    """The entry id of a screening's response `number` (from 0): a UUID of version 8 (RFC 9562), made from both."""
    digits = sha256(f"grounds response {number} to {screening_id}".encode()).hexdigest()
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def answerable(screening_id: str, log: LogStore, caller: Caller) -> dict[str, Any]:
    """The payload of a screening to which this caller may respond. Raises `Problem`."""
    _, screening = recorded_screening(screening_id, log)
    own = caller.holds(screening["caller"]["key_id"])
    if not own and (caller.agency is None or caller.agency not in agencies_of(screening["asked"])):
        raise problem("not_found")
    return screening


def _newest(screening_id: str, log: LogStore) -> tuple[int, str | None]:
    """How many responses there are, and the id of the newest."""
    newest = None
    for number in range(MOST_RESPONSES):
        following = numbered_id(screening_id, number)
        if log.get(following) is None:
            return number, newest
        newest = following
    return MOST_RESPONSES, newest


def _payload(
    screening_id: str, asked: Mapping[str, Any], newest: str | None, screening: Mapping[str, Any], caller: Caller
) -> bytes:
    answer = screening["answer"]
    return canonical_bytes(
        {
            "action": asked["action"],
            "agency": _agency(screening["asked"], caller),
            "caller": {"key_id": caller.key_id, "role": caller.role},
            "corrects": newest,
            **({"draft": asked["draft"]} if "draft" in asked else {}),
            # The level and model shown, and never the score: enough to count disagreement after an erasure too.
            "level": answer["prompt"]["level"],
            "model": answer["model"]["version"],
            "reasons": sorted(asked["reasons"]),
            "screening_id": screening_id,
        }
    )


def _agency(asked: Mapping[str, Any], caller: Caller) -> str:
    """The agency by which a response is counted: of a pooled view the caller's own, where the key has one."""
    agencies = agencies_of(asked)
    return agencies[0] if len(agencies) == 1 else caller.agency or POOLED


def _answer(response_id: str, payload: bytes) -> bytes:
    recorded = orjson.loads(payload)
    shown = {name: recorded[name] for name in ("action", "corrects", "reasons", "screening_id")}
    return canonical_bytes({**shown, "response_id": response_id})


def _repeated(entry: StoredEntry, screening_id: str, asked: Mapping[str, Any]) -> Recorded:
    recorded: dict[str, Any] = orjson.loads(entry.payload or b"{}")
    sent = {"action": asked["action"], "reasons": sorted(asked["reasons"]), "screening_id": screening_id}
    if asked.get("corrects") is not None:
        sent["corrects"] = asked["corrects"]
    if entry.payload is None or any(recorded.get(name) != value for name, value in sent.items()):
        raise problem("key_reused")
    return Recorded(_answer(entry.entry_id, entry.payload), entry)
