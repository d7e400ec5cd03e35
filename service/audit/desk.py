"""What every request of an auditor goes through: key, rate, role; and an entry in the log before it is answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Literal

from flask import Response, request

from service.access.keys import Caller, Keys, require_role
from service.access.rate import KeyRate
from service.errors import Problem, problem
from service.log.canonical import canonical_bytes
from service.log.search_index import SearchBehind, SearchUnavailable
from service.log.store import LogDamaged, LogStore, NotDurable
from service.running.telemetry import logger

RETRY_AFTER = "1"
AT_ONCE = 2
"""Requests of auditors that a worker serves at once: proofs and searches are work, and screenings come first."""
BUSY = "Other auditors' requests are being served. Ask again."
NOT_SHOWN = "The log cannot be written. Try again: nothing was shown."


class Desk:
    """Serves auditors, and nobody else."""

    def __init__(self, log: LogStore, keys: Keys, rate: KeyRate) -> None:
        self._log = log
        self._keys = keys
        self._rate = rate
        self._seats = threading.BoundedSemaphore(AT_ONCE)

    def serve(self, work: Callable[[Caller], Response], caller: Caller | None = None) -> Response:
        """The answer of `work`. Raises `Problem`; a refusal of one who holds a key is recorded first.

        `caller` is who asks where that is known already, from the session of a page; else the header says so. A key
        that asks too often, or while others are served, is refused without an entry: the refusals would fill the log.
        """
        caller = caller or self._keys.caller(request.headers.get("Authorization"))
        self._rate.admit(caller.key_id)
        if not self._seats.acquire(blocking=False):
            raise problem("rate_limited", detail=BUSY, Retry_After=RETRY_AFTER)
        try:
            return self._served(work, caller)
        finally:
            self._seats.release()

    def _served(self, work: Callable[[Caller], Response], caller: Caller) -> Response:
        try:
            try:
                require_role(caller, "auditor")
                return work(caller)
            except Problem as refusal:
                if refusal.status < 500:
                    self._record_refusal(refusal, caller)
                raise
        except NotDurable:
            raise problem("not_recorded", detail=NOT_SHOWN, Retry_After=RETRY_AFTER) from None
        except LogDamaged as damaged:
            logger().error("log_damaged", index=damaged.index)
            raise problem("record_damaged") from None
        except SearchBehind as behind:
            detail = f"{str(behind).capitalize()}. Ask again, and it goes on from there."
            raise problem("search_unavailable", detail=detail, Retry_After=RETRY_AFTER) from None
        except SearchUnavailable as unavailable:
            logger().error("search_unavailable", error=str(unavailable))
            raise problem("search_unavailable", Retry_After=RETRY_AFTER) from None

    def record(self, kind: Literal["lookup", "export"], caller: Caller, said: Mapping[str, object]) -> None:
        """Makes durable that this caller is about to be shown something. Raises `NotDurable`."""
        self._log.append(kind, canonical_bytes({"caller": _shown(caller), **said}))

    def _record_refusal(self, refusal: Problem, caller: Caller) -> None:
        """Codes and names of parameters, never what was asked for."""
        fields = sorted({error.field for error in refusal.errors})
        said = {"caller": _shown(caller), "code": refusal.code, "fields": fields, "status": refusal.status}
        self._log.append("refusal", canonical_bytes(said))


def _shown(caller: Caller) -> dict[str, str]:
    return {"key_id": caller.key_id, "role": caller.role}
