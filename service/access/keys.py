"""Who may ask: bearer keys with a role, stored as SHA-256 (keys are random, so a slow hash would add nothing)."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from model.files import write_whole
from service.errors import problem
from service.running.telemetry import logger

SANDBOX = "sandbox"
ROLES = ("practitioner", "auditor", "operator", SANDBOX)
UNBOUND = ("auditor",)
"""Roles that are of no one agency: a key that says otherwise would promise a limit that there is not."""
SECONDS_BETWEEN_LOOKS = 1.0
SANDBOX_MARK = f" grounds_{SANDBOX}_"
"""In the Authorization header of whoever sends what calls itself a sandbox key."""
MOST_DAYS = 3660
KEY_FILE = "api_keys.json"
DEVELOPMENT_FILE = "development_keys.json"
_AGENCY = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class KeyFileError(ValueError):
    """A key file that cannot be used; one line."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a key: what is known of who asks. `agency` is None for a key that serves several."""

    key_id: str
    role: str
    agency: str | None = None


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as stored: never the key itself."""

    key_id: str
    sha256: str
    role: str
    agency: str | None
    created: str
    revoked: bool = False
    expires: str | None = None
    """UTC, as `created`; None for a key that lasts until it is revoked."""
    replaces: str | None = None
    """Id of the key whose place it takes."""

    def state(self, now: datetime) -> str:
        """`active`, `revoked` or `expired`."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires is not None and datetime.fromisoformat(self.expires) <= now else "active"


Recorder = Callable[[StoredKey], None]
"""Makes the entry of a key; raises where that cannot be made durable, and then there is no key."""


class Keys:
    """The accepted keys, by digest."""

    def __init__(self, stored: Mapping[str, StoredKey]) -> None:
        self._set(stored)

    def _set(self, stored: Mapping[str, StoredKey]) -> None:
        self._callers = {
            key.sha256: (Caller(key.key_id, key.role, key.agency), _timestamp(key.expires))
            for key in stored.values()
            if not key.revoked
        }
        self._by_id = {caller.key_id: (caller, ends) for caller, ends in self._callers.values()}

    def by_id(self, key_id: str) -> Caller | None:
        """The caller whose key has that id, while the key is accepted; for the sessions of the pages."""
        found = self._by_id.get(key_id)
        return None if found is None or time.time() >= found[1] else found[0]

    def caller(self, authorization: str | None) -> Caller:
        """The caller behind an Authorization header. Raises `Problem` 401."""
        if not authorization:
            raise problem("no_key", WWW_Authenticate="Bearer")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise problem("no_key", WWW_Authenticate="Bearer")
        # Looking up a digest leaks nothing about the key through time: its preimage is not the caller's to choose.
        found = self._callers.get(hashlib.sha256(token.strip().encode()).hexdigest())
        if found is None or time.time() >= found[1]:
            raise problem("unknown_key", WWW_Authenticate='Bearer error="invalid_token"')
        return found[0]


class TokenHolders(Protocol):
    """Tells who holds a token (`service.access.tokens`)."""

    def caller(self, token: str) -> Caller:
        """The holder. Raises `Problem`."""


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
        """As `Keys`. A key file that cannot be read leaves the keys as they were, and is logged."""
        scheme, _, token = (authorization or "").partition(" ")
        if self._tokens is not None and scheme.lower() == "bearer" and token.count(".") == 2:
            return self._tokens.caller(token.strip())  # a key of ours has no dots
        self._follow()
        return super().caller(authorization)

    def by_id(self, key_id: str) -> Caller | None:
        """As `Keys`, with the file followed."""
        self._follow()
        return super().by_id(key_id)

    def _follow(self) -> None:
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + SECONDS_BETWEEN_LOOKS
        state = self._look()
        if state == self._state:
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
            return (0, 0, 0)
        except OSError:
            return (-1, 0, 0)  # reading it then says what is wrong
        return found.st_ino, found.st_mtime_ns, found.st_size


def _timestamp(expires: str | None) -> float:
    return float("inf") if expires is None else datetime.fromisoformat(expires).timestamp()


def require_role(caller: Caller, *roles: str) -> None:
    """Raises `Problem` 403 unless the caller has one of the roles, or is bound to an agency where the role is not."""
    if caller.role in UNBOUND and caller.agency is not None:
        raise problem("wrong_role", detail=f"The role {caller.role} is of no one agency; ask for a key without one.")
    if caller.role not in roles:
        raise problem(
            "wrong_role", detail=f"This needs the role {' or '.join(roles)}; the key's role is {caller.role}."
        )


def read_keys(folder: Path) -> dict[str, StoredKey]:
    """The stored keys by id; empty where there is no file yet. Raises `KeyFileError`."""
    path = folder / KEY_FILE
    if not path.exists():
        return {}
    try:
        stored = [StoredKey(**entry) for entry in json.loads(path.read_text())["keys"]]
        for key in stored:
            _timestamp(key.expires)
    except (ValueError, KeyError, TypeError) as error:
        raise KeyFileError(f"{path}: not a key file: {error}; restore it, or move it away and make new keys") from None
    return {key.key_id: key for key in stored}


def create_key(
    folder: Path, role: str, agency: str | None = None, record: Recorder | None = None, days: float | None = None
) -> tuple[str, StoredKey]:
    """Makes a key, stores its digest, and returns the key (shown this once) with its stored form.

    `record` comes before the key is stored: every key of a service has its entry (`service.access.key_records`). The
    key is accepted for `days` (above 0, at most 3660), or until it is revoked. Raises `KeyFileError`.
    """
    if agency is not None and role in UNBOUND:
        raise KeyFileError(f"agency: leave it out; the role {role} is of no one agency and reads the whole log")
    if agency is not None and not _AGENCY.fullmatch(agency):
        raise KeyFileError("agency: send the id of an agency as the data dictionary spells it, for instance gp")
    key, stored = _made(role, agency, days)
    with _alone(folder):
        kept = read_keys(folder)
        if record is not None:
            record(stored)
        _write(folder, {**kept, stored.key_id: stored})
    return key, stored


def rotate_key(
    folder: Path, key_id: str, record: Recorder | None = None, overlap_days: float = 7, days: float | None = None
) -> tuple[str, StoredKey]:
    """Makes a key in the place of another, which is accepted for `overlap_days` more. Raises `KeyFileError`."""
    with _alone(folder):
        return _rotated(folder, key_id, record, overlap_days, days)


def _rotated(
    folder: Path, key_id: str, record: Recorder | None, overlap_days: float, days: float | None
) -> tuple[str, StoredKey]:
    kept = read_keys(folder)
    now = datetime.now(UTC)
    if key_id not in kept or kept[key_id].state(now) != "active":
        raise KeyFileError(f"there is no active key {key_id}; python -m service key list shows them")
    old = kept[key_id]
    key, stored = _made(old.role, old.agency, days, replaces=key_id)
    ends = (now + timedelta(days=_checked_days("overlap", overlap_days))).isoformat(timespec="seconds")
    ends = ends if old.expires is None else min(ends, old.expires)
    if record is not None:
        record(stored)
    _write(folder, {**kept, key_id: replace(old, expires=ends), stored.key_id: stored})
    return key, stored


def _made(role: str, agency: str | None, days: float | None, replaces: str | None = None) -> tuple[str, StoredKey]:
    now = datetime.now(UTC)
    key_id = secrets.token_hex(4)
    key = f"grounds_{role}_{key_id}_{secrets.token_urlsafe(32)}"
    digest = hashlib.sha256(key.encode()).hexdigest()
    ends = None if days is None else now + timedelta(days=_checked_days("days", days))
    expires = None if ends is None else ends.isoformat(timespec="seconds")
    created = now.isoformat(timespec="seconds")
    return key, StoredKey(key_id, digest, role, agency, created, expires=expires, replaces=replaces)


def _checked_days(name: str, days: float) -> float:
    if not 0 < days <= MOST_DAYS:
        raise KeyFileError(f"{name}: give more than 0 and at most {MOST_DAYS} days")
    return days


def revoke_key(folder: Path, key_id: str) -> StoredKey:
    """Marks a key as revoked. Raises `KeyFileError` where there is none of that id."""
    with _alone(folder):
        keys = read_keys(folder)
        if key_id not in keys:
            raise KeyFileError(f"there is no key {key_id}; python -m service key list shows them")
        revoked = replace(keys[key_id], revoked=True)
        _write(folder, {**keys, key_id: revoked})
    return revoked


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One change of the key file at a time: of two at once, the later must not bring a revoked key back."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".api_keys.lock").open("ab") as file:
        os.fchmod(file.fileno(), 0o600)
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def development_keys(folder: Path, record: Recorder | None = None) -> dict[str, str]:
    """The keys of `make run`, kept in a file for this user alone so that a second run prints the same ones."""
    path = folder / DEVELOPMENT_FILE
    now = datetime.now(UTC)
    stored = {key_id for key_id, key in read_keys(folder).items() if key.state(now) == "active"}
    try:
        kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    except ValueError:
        raise KeyFileError(f"{path}: not a key file; move it away and new keys are made") from None
    for role in ("practitioner", "auditor"):
        if role not in kept or kept[role].split("_")[2] not in stored:
            kept[role] = create_key(folder, role, record=record)[0]
    write_whole(path, json.dumps(kept).encode(), 0o600)
    return kept


def _write(folder: Path, keys: Mapping[str, StoredKey]) -> None:
    content = {"format": 1, "keys": [asdict(key) for key in keys.values()]}
    write_whole(folder / KEY_FILE, json.dumps(content, indent=1).encode(), 0o600)
