"""Results as they were rendered for the key that made them, kept for a short while: for a reload, or the way back.

What is kept is shown again only to the same key, only while a look that is in the log covers it, and only after the log
was asked whether the screening and its responses are still as they were. So nobody is shown anything that the log does
not say they were shown, and nothing that was erased since.
"""

from __future__ import annotations

import re
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass

from service.access import Caller
from service.log.store import LogStore, StoredEntry
from service.pages.session import Visitor
from service.responding import numbered_id

COVERED_SECONDS = 600.0
"""How long one recorded look covers the same key's visits to the same result: a reload is not another look."""
MOST = 64
"""Results that a worker keeps."""

TOKEN, ONCE = secrets.token_hex(32), secrets.token_hex(16)
"""Stand where each visit has a value of its own: of the form's token, and of its once-only number."""
_PLACES = re.compile(f"({TOKEN}|{ONCE})".encode())


@dataclass(frozen=True, slots=True)
class _Kept:
    parts: list[bytes]
    state: dict[str, bool]
    asked: tuple[str, ...]
    until: float


class KeptResults:
    """The results that one worker keeps. Safe to share between threads: each step replaces or drops a whole entry."""

    def __init__(self, log: LogStore) -> None:
        self._log = log
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()

    def find(self, screening_id: str, visitor: Visitor) -> bytes | None:
        """The page for this visit; None where it must be read, recorded and rendered."""
        kept = self._kept.get((visitor.caller.key_id, screening_id))
        if kept is None or time.monotonic() > kept.until or self._log.there(kept.asked) != kept.state:
            return None
        return _filled(kept.parts, visitor.token)

    def keep(self, rendered: bytes, entry: StoredEntry, answered: list[str], visitor: Visitor) -> bytes:
        """Keeps a page that was rendered with `stand_in`, right after its look was recorded; the page for this visit.

        `answered` are the ids of the responses on it.
        """
        asked = (entry.entry_id, *answered, numbered_id(entry.entry_id, len(answered)))
        kept = _Kept(_PLACES.split(rendered), self._log.there(asked), asked, time.monotonic() + COVERED_SECONDS)
        # As it was read: one that an eraser reached in between is rendered again.
        if kept.state == dict.fromkeys(asked[:-1], True):
            self._kept[visitor.caller.key_id, entry.entry_id] = kept
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return _filled(kept.parts, visitor.token)


def stand_in(caller: Caller) -> Visitor:
    """Whom a page is rendered for that is to be kept."""
    return Visitor(caller, TOKEN)


def _filled(parts: list[bytes], token: str) -> bytes:
    own = {TOKEN.encode(): token.encode(), ONCE.encode(): secrets.token_hex(16).encode()}
    return b"".join([own.get(part, part) for part in parts])
