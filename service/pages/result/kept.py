"""Results as they were rendered for one session, kept for a short while: for a reload, or the way back.

What is kept is shown again only to that session, only while a look that is in the log covers it, and only where the log
said within the last second that the screening and its responses are as they were. So nobody is shown anything that the
log does not say they were shown, and an erasure holds within a second, as a key's revocation does.
"""

from __future__ import annotations

import gzip
import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass

from service.log.store import LogStore, StoredEntry
from service.pages.session import Visitor
from service.responses.story import numbered_id

COVERED_SECONDS = 600.0
"""How long one recorded look covers the same session's visits to the same result: a reload is not another look."""
FRESH_SECONDS = 1.0
"""How long what the log said of an entry's presence is believed."""
MOST = 64
"""Results that a worker keeps."""


@dataclass(slots=True)
class Kept:
    """A page, and from its second visit on also as gzip (RFC 1952), a tenth of its size on a phone's connection."""

    page: bytes
    state: dict[str, bool]
    asked: tuple[str, ...]
    until: float
    fresh_until: float
    _packed: bytes | None = None

    @property
    def packed(self) -> bytes:
        """The page as gzip."""
        if self._packed is None:
            self._packed = gzip.compress(self.page, 6, mtime=0)
        return self._packed


class KeptResults:
    """The results that one worker keeps. Safe to share between threads: each step replaces or drops a whole entry."""

    def __init__(self, log: LogStore) -> None:
        self._log = log
        self._kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()

    def find(self, screening_id: str, visitor: Visitor) -> Kept | None:
        """The page of that session; None where it must be read, recorded and rendered."""
        kept = self._kept.get((visitor.token, screening_id))
        now = time.monotonic()
        if kept is None or now > kept.until:
            return None
        if now > kept.fresh_until:
            if self._log.there(kept.asked) != kept.state:
                return None
            kept.fresh_until = now + FRESH_SECONDS
        return kept

    def keep(self, page: bytes, entry: StoredEntry, answered: list[str], visitor: Visitor) -> None:
        """Keeps a page right after its look was recorded. `answered` are the ids of the responses on it."""
        asked = (entry.entry_id, *answered, numbered_id(entry.entry_id, len(answered)))
        now = time.monotonic()
        kept = Kept(page, self._log.there(asked), asked, now + COVERED_SECONDS, now + FRESH_SECONDS)
        # As it was read: one that an eraser reached in between is rendered again.
        if kept.state == dict.fromkeys(asked[:-1], True):
            self._kept[visitor.token, entry.entry_id] = kept
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)


def once_only(visitor: Visitor, screening_id: str, answered: int) -> str:
    """The number by which the log takes the next response once, however often this session sends its form."""
    return hashlib.sha256(f"{visitor.token} {screening_id} {answered}".encode()).hexdigest()[:32]
