"""A request that is sent again is answered again, and recorded once (the IETF's draft Idempotency-Key header)."""

from __future__ import annotations

import re
from hashlib import sha256

from service.access.keys import Caller
from service.errors import FieldError, problem

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


def idempotency_key(header: str | None, caller: Caller, kind: str) -> str | None:
    """What an entry of that kind is unique by: caller and digest of the key sent; None without one. Raises `Problem`.

    The digest, as the key is the sender's text and the log keeps no text of theirs.
    """
    if header is None:
        return None
    if not _KEY.fullmatch(header):
        raise problem("refused", [FieldError(HEADER, FIX)])
    return f"{kind} {caller.key_id} {sha256(header.encode()).hexdigest()}"
