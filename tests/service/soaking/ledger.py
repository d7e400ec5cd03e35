"""What clients asked, and what they were told, while it happens."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256

import orjson

from service.log.record import Record, RecordError, read_record

REFUSALS = frozenset({429, 503, 507})
"""Statuses with which a service may refuse while something is wrong with it."""
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A screening that a client has in full: its record, and length and digest of the bytes that the log must hold."""

    screening_id: str
    record: Record
    length: int
    digest: bytes
    body: bytes
    """Digest of the whole answer."""


@dataclass(slots=True)
class Waits:
    """The longest that clients waited, in seconds, and how many were turned away as too many."""

    longest: float = 0.0
    longest_turned_away: float = 0.0
    turned_away: int = 0
    screened: int = 0


@dataclass
class Ledger:
    """What was said by and to all clients. Each request has a case reference of its own; a repeat has the same."""

    requests: int = 0
    answered: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    asked: set[str] = field(default_factory=set)
    acknowledged: dict[str, Acknowledged] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    """Answers that no client should have been given."""
    waits: Waits = field(default_factory=Waits)
    longest_stall: float = 0.0
    """The longest time in which nobody was given a screening, in seconds."""
    _phases: list[tuple[float, Waits]] = field(default_factory=list)
    _last: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, case_ref: str) -> None:
        """A request is about to be sent."""
        with self._lock:
            self.requests += 1
            self.asked.add(case_ref)

    def cut_off(self, kind: str) -> None:
        """No whole answer came."""
        with self._lock:
            self.broken[kind] += 1

    def answer(self, case_ref: str, status: int, kind: str, body: bytes, seconds: float) -> bool:
        """A whole answer came, that many seconds after it was asked for; whether it is a screening."""
        screened = None
        try:
            if status in (200, 201):
                screened = acknowledged(case_ref, body)
            else:
                code = refusal(status, kind, body)
        except ValueError as error:
            with self._lock:
                self.wrong.append(f"status {status}: {error}")
            return False
        now = time.monotonic()
        with self._lock:
            for began, waits in [(0.0, self.waits), *self._phases]:
                if now - seconds >= began:
                    _add(waits, seconds, screened is not None, screened is None and code == "503 overloaded")
            if screened is None:
                self.refused[code] += 1
                return False
            self.answered += 1
            self.longest_stall, self._last = max(self.longest_stall, now - self._last), now
            if self.acknowledged.setdefault(case_ref, screened) != screened:
                self.wrong.append("one Idempotency-Key was given two answers")
        return True

    @contextmanager
    def phase(self) -> Iterator[Waits]:
        """What those wait who ask inside the block, and are answered there."""
        entry = (time.monotonic(), Waits())
        with self._lock:
            self._phases.append(entry)
        try:
            yield entry[1]
        finally:
            with self._lock:
                self._phases.remove(entry)


def _add(waits: Waits, seconds: float, screened: bool, turned_away: bool) -> None:
    waits.longest = max(waits.longest, seconds)
    waits.screened += screened
    if turned_away:
        waits.turned_away += 1
        waits.longest_turned_away = max(waits.longest_turned_away, seconds)


def acknowledged(case_ref: str, body: bytes) -> Acknowledged:
    """What a whole answer with a screening says. Raises `ValueError` where it is not the one asked for."""
    said = orjson.loads(body)
    if said.get("case_ref") != case_ref or "score" not in said:
        raise ValueError("the screening of another case, or none")
    try:
        record = read_record(body)
    except RecordError as error:
        raise ValueError(str(error)) from None
    shown = body[: body.rindex(b',"record":')] + b"}"
    return Acknowledged(said["screening_id"], record, len(shown), sha256(shown).digest(), sha256(body).digest())


def refusal(status: int, kind: str, body: bytes) -> str:
    """Status and code of a refusal. Raises `ValueError` for one that should not be, or that shows a score."""
    if status not in REFUSALS or kind != PROBLEM:
        raise ValueError(f"{kind}: {body[:200]!r}")
    said = orjson.loads(body)
    if said.get("status") != status or "code" not in said or "score" in said or b"Traceback" in body:
        raise ValueError(f"not the details of a problem: {body[:200]!r}")
    return f"{status} {said['code']}"
