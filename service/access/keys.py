"""Who may ask: the bearer keys that a worker accepts, each with a role, as the key file has them (`key_file`)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from service.access.holders import Line, lines_of
from service.access.key_file import (
    DEVELOPMENT_FILE,
    KEY_FILE,
    MOST_DAYS,
    ROLES,
    SANDBOX,
    UNBOUND,
    KeyFileError,
    Recorder,
    StoredKey,
    create_key,
    development_keys,
    read_keys,
    revoke_key,
    rotate_key,
)
from service.errors import problem
from service.running.telemetry import logger

__all__ = [
    "DEVELOPMENT_FILE",
    "KEY_FILE",
    "MOST_DAYS",
    "ROLES",
    "SANDBOX",
    "SANDBOX_MARK",
    "UNBOUND",
    "Caller",
    "FollowedKeys",
    "KeyFileError",
    "Keys",
    "Recorder",
    "StoredKey",
    "TokenHolders",
    "create_key",
    "development_keys",
    "read_keys",
    "require_role",
    "revoke_key",
    "rotate_key",
]

SECONDS_BETWEEN_LOOKS = 1.0
_NO_FILE = (0, 0, 0)
SANDBOX_MARK = f" grounds_{SANDBOX}_"
"""In the Authorization header of whoever sends what calls itself a sandbox key."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of who asks. `agency` is None for a key that serves several.

    The log names the key that asked. What was asked is the holder's, by whichever of their keys
    (`service.access.holders`): `holder` is the id of the first of these, `keys` has the ids of all.
    """

    key_id: str
    role: str
    agency: str | None = None
    holder: str = ""
    keys: tuple[str, ...] = ()
    unmarked: tuple[str, ...] = ()
    """Of `keys`, those by whose own ids the log may have taken a request once."""

    def __post_init__(self) -> None:
        """Who holds one key alone, or a token, is named by its id."""
        if not self.holder:
            object.__setattr__(self, "holder", self.key_id)

    def holds(self, key_id: str) -> bool:
        """Whether that key is, or was, one of this holder's."""
        return key_id == self.key_id or key_id in self.keys


class Keys:
    """The accepted keys, by digest."""

    def __init__(self, stored: Mapping[str, StoredKey]) -> None:
        self._set(stored)

    def _set(self, stored: Mapping[str, StoredKey]) -> None:
        lines = {key_id: (holder, line) for holder, line in lines_of(stored).items() for key_id in line.ids}
        self._callers = {
            key.sha256: (_caller(key, *lines[key.key_id]), key.ends) for key in stored.values() if not key.revoked
        }
        self._last: tuple[str | None, tuple[Caller, float] | None] = None, None
        """The header that was looked up last, the very object: a request's is looked at before its body and after."""
        self._by_id = {caller.key_id: (caller, ends) for caller, ends in self._callers.values()}
        self._ids = {key_id: line.ids for key_id, (_, line) in lines.items()}

    def by_id(self, key_id: str) -> Caller | None:
        """The caller whose key has that id, while the key is accepted; for the sessions of the pages."""
        found = self._by_id.get(key_id)
        return None if found is None or time.time() >= found[1] else found[0]

    def newest(self, key_id: str) -> Caller | None:
        """The caller of the newest accepted key of that key's holder; for what is bound to a holder, not to one key."""
        for one in reversed(self._ids.get(key_id, ())):
            if (caller := Keys.by_id(self, one)) is not None:
                return caller
        return None

    def known(self, authorization: str) -> Caller | None:
        """The caller behind an Authorization header, as far as one look tells; None for whoever is not known by it."""
        header, found = self._last
        if header is not authorization:
            # Looking up a digest leaks nothing about the key through time: its preimage is not the caller's to choose.
            token = authorization.partition(" ")[2]
            found = self._callers.get(hashlib.sha256(token.strip().encode()).hexdigest())
            self._last = authorization, found
        return None if found is None or time.time() >= found[1] else found[0]

    def caller(self, authorization: str | None) -> Caller:
        """The caller behind an Authorization header. Raises `Problem` 401."""
        scheme, _, token = (authorization or "").partition(" ")
        if authorization is None or scheme.lower() != "bearer" or not token:
            raise problem("no_key", WWW_Authenticate="Bearer")
        found = Keys.known(self, authorization)
        if found is None:
            raise problem("unknown_key", WWW_Authenticate='Bearer error="invalid_token"')
        return found


class TokenHolders(Protocol):
    """Tells who holds a token (`service.access.tokens`)."""

    def caller(self, token: str) -> Caller:
        """The holder. Raises `Problem`."""

    def known(self, token: str) -> Caller | None:
        """The holder, where the token was found good before; None where it would have to be checked."""


class FollowedKeys(Keys):
    """The keys in a service's folder, read again where the file was replaced: a revocation holds within a second."""

    def __init__(self, folder: Path, tokens: TokenHolders | None = None) -> None:
        """`tokens` tells who holds a token of an identity provider, where there is one. Raises `KeyFileError`."""
        self._folder = folder
        self._tokens = tokens
        self._state = self._look()
        self._next_look = 0.0
        super().__init__(read_keys(folder))

    def caller(self, authorization: str | None) -> Caller:
        """As `Keys`. A key file that cannot be read, or is gone, leaves the keys as they were, and is logged."""
        scheme, _, token = (authorization or "").partition(" ")
        if self._tokens is not None and scheme.lower() == "bearer" and token.count(".") == 2:
            return self._tokens.caller(token.strip())  # a key of ours has no dots
        self._follow()
        return super().caller(authorization)

    def known(self, authorization: str) -> Caller | None:
        """As `Keys`, with the file followed."""
        token = authorization.partition(" ")[2]
        if self._tokens is not None and token.count(".") == 2:
            return self._tokens.known(token.strip())
        self._follow()
        return super().known(authorization)

    def by_id(self, key_id: str) -> Caller | None:
        """As `Keys`, with the file followed."""
        self._follow()
        return super().by_id(key_id)

    def newest(self, key_id: str) -> Caller | None:
        """As `Keys`, with the file followed."""
        self._follow()
        return super().newest(key_id)

    def _follow(self) -> None:
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + SECONDS_BETWEEN_LOOKS
        state = self._look()
        if state == self._state:
            return
        if state == _NO_FILE:
            # Nobody revokes all keys by that: a disk that was not mounted, or a slip of the hand.
            logger().error("key_file_gone")
            return
        try:
            self._set(read_keys(self._folder))
        except (KeyFileError, OSError):
            logger().error("key_file_unreadable")
        else:
            self._state = state

    def _look(self) -> tuple[int, int, int]:
        try:
            found = (self._folder / KEY_FILE).stat()
        except FileNotFoundError:
            return _NO_FILE
        except OSError:
            return (-1, 0, 0)  # reading it then says what is wrong
        return found.st_ino, found.st_mtime_ns, found.st_size


def _caller(key: StoredKey, holder: str, line: Line) -> Caller:
    return Caller(key.key_id, key.role, key.agency, holder, tuple(line.ids), tuple(line.unmarked))


def require_role(caller: Caller, *roles: str) -> None:
    """Raises `Problem` 403 unless the caller has one of the roles, or is bound to an agency where the role is not."""
    if caller.role in UNBOUND and caller.agency is not None:
        raise problem("wrong_role", detail=f"The role {caller.role} is of no one agency; ask for a key without one.")
    if caller.role not in roles:
        raise problem(
            "wrong_role", detail=f"This needs the role {' or '.join(roles)}; the key's role is {caller.role}."
        )
