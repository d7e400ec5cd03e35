"""The key file: every key that was made, as a SHA-256 digest, and how one is made, rotated and revoked.

Keys are random, so a slow hash would add nothing. A record is never taken out: a revoked key's stays.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from model.files import write_whole
from service.access.holders import holder_of

SANDBOX = "sandbox"
ROLES = ("practitioner", "auditor", "operator", SANDBOX)
UNBOUND = ("auditor",)
"""Roles that are of no one agency: a key that says otherwise would promise a limit that there is not."""
MOST_DAYS = 3660
KEY_FILE = "api_keys.json"
DEVELOPMENT_FILE = "development_keys.json"
_AGENCY = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class KeyFileError(ValueError):
    """A key file that cannot be used; one line."""


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
    holder: str | None = None
    """Whose it is (`service.access.holders`), where it takes another's place."""

    @property
    def ends(self) -> float:
        """When it expires, in seconds since 1970; infinite where it does not. Raises `ValueError`."""
        return float("inf") if self.expires is None else datetime.fromisoformat(self.expires).timestamp()

    def state(self, now: datetime) -> str:
        """`active`, `revoked` or `expired`."""
        if self.revoked:
            return "revoked"
        return "expired" if self.expires is not None and datetime.fromisoformat(self.expires) <= now else "active"


Recorder = Callable[[StoredKey], None]
"""Makes the entry of a key; raises where that cannot be made durable, and then there is no key."""


def read_keys(folder: Path) -> dict[str, StoredKey]:
    """The stored keys by id; empty where there is no file yet. Raises `KeyFileError`."""
    path = folder / KEY_FILE
    if not path.exists():
        return {}
    try:
        stored = [StoredKey(**entry) for entry in json.loads(path.read_text())["keys"]]
        for key in stored:
            _ = key.ends
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
    key, made = _made(old.role, old.agency, days)
    stored = replace(made, replaces=key_id, holder=holder_of(key_id, kept))
    ends = (now + timedelta(days=_checked_days("overlap", overlap_days))).isoformat(timespec="seconds")
    ends = ends if old.expires is None else min(ends, old.expires)
    if record is not None:
        record(stored)
    _write(folder, {**kept, key_id: replace(old, expires=ends), stored.key_id: stored})
    return key, stored


def _made(role: str, agency: str | None, days: float | None) -> tuple[str, StoredKey]:
    now = datetime.now(UTC)
    key_id = secrets.token_hex(4)
    key = f"grounds_{role}_{key_id}_{secrets.token_urlsafe(32)}"
    digest = hashlib.sha256(key.encode()).hexdigest()
    ends = None if days is None else now + timedelta(days=_checked_days("days", days))
    expires = None if ends is None else ends.isoformat(timespec="seconds")
    created = now.isoformat(timespec="seconds")
    return key, StoredKey(key_id, digest, role, agency, created, expires=expires)


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
    content = {"format": 1, "keys": [_record(key) for key in keys.values()]}
    write_whole(folder / KEY_FILE, json.dumps(content, indent=1).encode(), 0o600)


def _record(key: StoredKey) -> dict[str, object]:
    record = asdict(key)
    if key.holder is None:
        del record["holder"]  # as a version before holders wrote it, and can read it
    return record
