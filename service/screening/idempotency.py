"""A request that is sent again is answered again, and recorded once (the IETF's draft Idempotency-Key header).

Whether it is the same request is told by what was asked. Of a value that the dictionary does not list that keeps the
fact alone, so an entry with such a value has a digest of the request as it was sent beside it. Its key is the sender's
Idempotency-Key, which the log does not hold: nobody can find the value by trying.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from service.access.keys import Caller
from service.errors import FieldError, problem
from service.log.canonical import canonical_bytes
from service.log.store import LogStore, StoredEntry
from service.screening.schemas import UNSEEN

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x21-\x7e]{8,255}")
FIX = "send 8 to 255 visible ASCII characters, for instance a UUID, new for each screening"
IDEMPOTENCY_PARAMETER = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "schema": {"type": "string", "minLength": 8, "maxLength": 255, "pattern": "^[!-~]{8,255}$"},
    "description": "The same key with the same request gives the same answer and one record, also after a time-out.",
}
"""The header as OpenAPI documents it."""
Case = tuple[Mapping[str, Any], Mapping[str, Any]]
"""A request for a screening: as it was sent, and validated."""
SENT_DIGEST = "sent_digest"
"""In an entry: the digest of the request as it was sent, where what was asked does not tell it whole."""


@dataclass(frozen=True, slots=True)
class Once:
    """By what the log takes a request once: a text, and the digest of what was sent where that is needed."""

    text: str
    earlier: tuple[str, ...] = ()
    """Texts by which a version took it that knew no holders of several keys."""
    digests: tuple[str | None, ...] = ()
    """Of each case in it as it was sent; None where what was asked tells it whole."""

    @property
    def digest(self) -> str | None:
        """Of its one case, or its first."""
        return self.digests[0] if self.digests else None

    def numbered(self, number: int) -> Once:
        """By what one case among several is taken once."""
        earlier = tuple(f"{text} {number}" for text in self.earlier)
        return Once(f"{self.text} {number}", earlier, self.digests[number : number + 1])

    def found(self, log: LogStore) -> StoredEntry | None:
        """The entry that was made of this request, or None. Raises `LogDamaged`."""
        return log.recorded_as(self.text) or self.found_earlier(log)

    def found_earlier(self, log: LogStore) -> StoredEntry | None:
        """The same, by the earlier texts alone: by its own the log takes it once without being asked before."""
        return next((entry for text in self.earlier if (entry := log.recorded_as(text)) is not None), None)

    def is_of(self, payload: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
        """Whether a recorded screening was asked for by this very request."""
        return bool(payload["asked"] == asked) and payload.get(SENT_DIGEST, self.digest) == self.digest


def idempotency_key(header: str | None, caller: Caller, kind: str, *cases: Case) -> Once | None:
    """By what an entry of that kind is taken once: holder and digest of the key sent; None without one.

    The digest, as the key is the sender's text and the log keeps no text of theirs. `cases` are what was sent to be
    screened, where the log keeps less of it than that. Raises `Problem`.
    """
    if header is None:
        return None
    if not _KEY.fullmatch(header):
        raise problem("refused", [FieldError(HEADER, FIX)])
    digests = tuple(_digest(header, sent, asked) for sent, asked in cases)
    return once(kind, sha256(header.encode()).hexdigest(), caller, digests)


def once(kind: str, what: str, caller: Caller, digests: tuple[str | None, ...] = ()) -> Once:
    """Of `what` one entry of that kind is made for this caller's holder, by whichever of their keys it comes."""
    earlier = tuple(f"{kind} {key_id} {what}" for key_id in caller.unmarked)
    return Once(f"{kind} {caller.holder} {what}", earlier, digests)


def _digest(header: str, sent: Mapping[str, Any], asked: Mapping[str, Any]) -> str | None:
    observations = asked.get("observations") or (asked,)
    if not any(UNSEEN in one["features"].values() for one in observations):
        return None
    return hmac.digest(header.encode(), canonical_bytes(sent), "sha256").hex()
