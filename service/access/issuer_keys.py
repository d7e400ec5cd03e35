"""An issuer's public keys (RFC 7517) by key id: asked for seldom, believed for a while, and never waited for long.

One request at a time asks the issuer; the others go on with the keys that there are. So an issuer that hangs, or tokens
that name one unknown key after another, keep nobody waiting whose token is signed by a key that is still believed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

import jwt

from service.running.telemetry import logger

WAIT_SECONDS = 0.2
"""How long a request waits for another one's question to the issuer, where it cannot go on without."""
UNREADABLE = (jwt.PyJWTError, TypeError, ValueError, OverflowError, RecursionError)
"""What PyJWT raises for a token or key that it cannot use: not all of it is its own."""

KeySet = Mapping[str, jwt.PyJWK]


class KeysUnavailable(Exception):
    """The issuer's keys cannot be had now."""


class IssuerKeys:
    """The keys of one issuer. Safe to share between threads."""

    def __init__(self, issuer: str, ask: Callable[[], KeySet], last: float, between: float) -> None:
        """`ask` fetches the keys and raises `OSError`, `KeyError` or one of `UNREADABLE`.

        Keys are believed for `last` seconds, and asked for anew after half of them, or when a token names one that is
        unknown; from one question to the next there are `between` seconds at least.
        """
        self._issuer, self._ask = issuer, ask
        self._last, self._between = last, between
        self._lock = threading.Lock()
        self._keys: KeySet = {}
        self._fetched = self._asked = float("-inf")
        self._failed = False
        self.renewals = 0
        """How often the keys were fetched: what was found good by older ones is to be looked at again."""

    def follow(self) -> None:
        """Asks the issuer where that is due. Raises `KeysUnavailable` where there are no keys that may be believed."""
        age = time.monotonic() - self._fetched
        if age >= self._last:
            self._renew(WAIT_SECONDS)
            if time.monotonic() - self._fetched >= self._last:
                raise KeysUnavailable
        elif age >= self._last / 2:
            self._renew(0.0)

    def key(self, kid: object) -> jwt.PyJWK | None:
        """The key of that id; None where the issuer has none. Raises `KeysUnavailable`."""
        self.follow()
        found = self._keys.get(kid) if isinstance(kid, str) else None
        if found is None and isinstance(kid, str) and not self._renew(WAIT_SECONDS):
            raise KeysUnavailable  # the issuer may have this one: it could not be asked
        return found or (self._keys.get(kid) if isinstance(kid, str) else None)

    def _renew(self, wait: float) -> bool:
        """Asks the issuer unless that was done a moment ago; whether the last question was answered."""
        if self._is_due():
            if not self._lock.acquire(timeout=wait):
                return False
            try:
                if self._is_due():
                    self._take()
            finally:
                self._lock.release()
        return not self._failed

    def _is_due(self) -> bool:
        return time.monotonic() - self._asked >= self._between

    def _take(self) -> None:
        try:
            self._keys = self._ask()
        except (OSError, KeyError, *UNREADABLE) as error:
            self._failed = True
            logger().error("issuer_unavailable", issuer=self._issuer, error=type(error).__name__)
        else:
            self._failed = False
            self._fetched = time.monotonic()
            self.renewals += 1
        finally:
            self._asked = time.monotonic()  # the end of it: one that hung is not asked again at once
