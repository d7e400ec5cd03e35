"""Keys whose making and revoking are entries of the log. The log never holds a key or its digest."""

from __future__ import annotations

from collections.abc import Callable

from model.artefact import ArtefactError
from service.access.keys import (
    KeyFileError,
    Recorder,
    StoredKey,
    create_key,
    development_keys,
    revoke_key,
    rotate_key,
)
from service.log.canonical import canonical_bytes
from service.log.entry import Kind
from service.log.reader import LogReader
from service.log.store import LogStore, NotDurable
from service.model_files import load_active
from service.settings import Settings

COMMAND_LINE = "command line"

OpenLog = Callable[[], LogStore]


def create_recorded_key(
    settings: Settings, open_log: OpenLog, role: str, agency: str | None, days: float | None = None
) -> tuple[str, StoredKey]:
    """Makes a key whose entry is durable before it exists.

    Raises `NotDurable`, and `KeyFileError` for an agency that the active model's dictionary does not name; then there
    is no key.
    """
    if agency is not None:
        _check_agency(agency, settings)
    return create_key(settings.keys, role, agency, _recorder(open_log), days)


def rotate_recorded_key(
    settings: Settings, open_log: OpenLog, key_id: str, overlap_days: float, days: float | None = None
) -> tuple[str, StoredKey]:
    """Makes a key in the place of another; its entry, which names both, is durable first. Raises `NotDurable`."""
    return rotate_key(settings.keys, key_id, _recorder(open_log), overlap_days, days)


def recorded_development_keys(settings: Settings, open_log: OpenLog) -> dict[str, str]:
    """The keys of `make run` by role; each that is made is an entry first. Raises `NotDurable`."""
    return development_keys(settings.keys, _recorder(open_log))


def revoke_recorded_key(settings: Settings, open_log: OpenLog, key_id: str) -> StoredKey:
    """Revokes a key, then records it. Raises `NotDurable` where it is revoked and not recorded: revoke it again.

    In this order, since a key that got into wrong hands must not work on while the log's disk is mended.
    """
    revoked = revoke_key(settings.keys, key_id)
    try:
        _append(open_log, "key_revoked", revoked)
    except NotDurable as error:
        raise NotDurable(f"{key_id} is revoked, but not recorded: {error}; revoke it again to record it") from None
    return revoked


def keys_were_made(log: LogReader) -> bool:
    """Whether the log tells of any key of a caller; changes of the log's own key are entries of the same kind."""
    return any(b'"role"' in (entry.payload or b"") for entry in log.of_kind("key_created"))


def _check_agency(agency: str, settings: Settings) -> None:
    """A key bound to an agency that nobody can send for would be refused at every screening. Raises `KeyFileError`."""
    try:
        released = load_active(settings.models, settings.keys)
    except ArtefactError:
        return  # keys may be made before a model is released; one that cannot be trusted is said when it is used
    known = [one.id for one in released.model.dictionary.agencies]
    if agency not in known:
        raise KeyFileError(f"agency: send one of the active model's dictionary: {', '.join(known)}")


def _recorder(open_log: OpenLog) -> Recorder:
    def record(stored: StoredKey) -> None:
        try:
            _append(open_log, "key_created", stored)
        except NotDurable as error:
            raise NotDurable(f"no key was made: {error}") from None

    return record


def _append(open_log: OpenLog, kind: Kind, stored: StoredKey) -> None:
    said = {"agency": stored.agency, "by": COMMAND_LINE, "key_id": stored.key_id, "role": stored.role}
    if kind == "key_created":
        said |= {"expires": stored.expires, "replaces": stored.replaces}
    log = open_log()
    try:
        log.append(kind, canonical_bytes(said))
    finally:
        log.close()
