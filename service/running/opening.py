"""Opens the log of a service; begins it where there never was one, under a key that is made for it.

A log that is missing is not begun anew: under the same key and name it would contradict every receipt and checkpoint
that was given, and nobody would notice before an auditor does.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from model.files import sync_folder, write_whole
from service.log.checkpoint import CheckpointError, VerifierKey, create_signing_key, load_signing_key, signs
from service.log.databases import open_database
from service.log.key_file import FollowedKey, first_file
from service.log.publisher import NEWEST, check_published
from service.log.read_only import ReadOnlyLog
from service.log.rotation import alone, settle
from service.log.schema import LogError, newest_checkpoint
from service.log.store import LogStore, NotDurable
from service.log.writer import reason
from service.settings import Settings

LOG_KEY = "log.pem"
_FIX = "restore it from your backup (operator.md, A log that is gone, also says how to begin another)"


def open_log(settings: Settings, begin: bool = True) -> LogStore:
    """The log of this service. Where there never was one it is begun, unless `begin` is False.

    Raises `LogError` where its key is here and the log is gone, where it is shorter than was published, or where the
    log is here and its key is gone.
    """
    key_file, database = settings.keys / LOG_KEY, settings.log_database
    if not key_file.exists():
        if not begin:
            raise LogError(_none_yet(settings) or f"{key_file}: the log's key is not here; {_FIX}")
        _begin(settings, key_file, database)
    if isinstance(database, Path):
        if not database.exists():
            raise LogError(f"{database}: the log is gone, and its key is here; {_FIX}")
        database.parent.chmod(0o700)  # the log holds case data, and SQLite makes its files by the umask
    settle(database, key_file, settings.origin)
    log = LogStore.open(database, FollowedKey(key_file, settings.origin), begin=False)
    try:
        # Where what was published cannot be read, the publisher says so every second, and readiness too.
        with suppress(OSError, CheckpointError):
            check_published(settings.checkpoints, log)
    except BaseException:
        log.close()
        raise
    return log


def check_log(settings: Settings) -> None:
    """Sees before long work that its entry could be recorded; where there never was a log, none is begun yet.

    Raises what `open_log` does, and `NotDurable` where the log cannot be written.
    """
    if _never_begun(settings):
        _check_beginning(settings)
        return
    log = open_log(settings)
    try:
        fault = log.fault()
    finally:
        log.close()
    if fault is not None:
        raise NotDurable(f"the log cannot be written ({fault})")


def read_log(settings: Settings) -> ReadOnlyLog:
    """The log of this service for a command that only reads; makes nothing. Raises `LogError`."""
    key_file = settings.keys / LOG_KEY
    public = key_file.with_suffix(".pub")
    if public.exists():
        key = VerifierKey.parse(public.read_text(encoding="utf-8"))
    elif key_file.exists():  # a backup may hold it alone
        key = load_signing_key(key_file, settings.origin).verifier
    else:
        why = _none_yet(settings) or f"{public}: the log's public key is not here; restore it"
        raise LogError(f"{why}, or name a log: --database URL --key FILE")
    return ReadOnlyLog.open(settings.log_database, key)


def _begin(settings: Settings, key_file: Path, database: Path | str) -> None:
    """Makes key and log. The key has its name only once the log is there: what is cut off between is done again."""
    key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    first = first_file(key_file)
    with alone(key_file):
        if key_file.exists():  # another process was faster
            return
        if (settings.checkpoints / NEWEST).exists():
            raise LogError(f"{settings.checkpoints}: checkpoints of a log lie here, and its key does not; {_FIX}")
        note = _newest(database)
        if note is not None and not (first.exists() and signs(load_signing_key(first, settings.origin).verifier, note)):
            raise LogError(f"{key_file}: the log exists but its signing key is gone; restore the key from your backup")
        if not first.exists():
            create_signing_key(first, settings.origin)
        if isinstance(database, Path):
            database.parent.mkdir(parents=True, exist_ok=True)
        key = load_signing_key(first, settings.origin)
        LogStore.open(database, key).close()
        write_whole(key_file.with_suffix(".pub"), f"{key.verifier.text}\n".encode())
        first.with_suffix(".pub").unlink(missing_ok=True)
        first.replace(key_file)
        sync_folder(key_file.parent)


def _never_begun(settings: Settings) -> bool:
    """Whether nothing tells of a log that was: no key or half of one, nothing published, no database that holds one."""
    key_file = settings.keys / LOG_KEY
    told_of = (key_file, key_file.with_suffix(".pub"), first_file(key_file), settings.checkpoints / NEWEST)
    return not any(path.exists() for path in told_of) and _newest(settings.log_database) is None


def _none_yet(settings: Settings) -> str:
    """What to say where there never was a log; empty where one is gone, for which this would be no comfort."""
    if not _never_begun(settings):
        return ""
    return f"{settings.var}: there is no log yet; the service's first start begins it (make run)"


def _check_beginning(settings: Settings) -> None:
    folder = settings.keys.absolute()
    while not folder.exists():
        folder = folder.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise LogError(f"{folder}: no log can be begun here; give this user the right to write, or set GROUNDS_VAR")


def _newest(where: Path | str) -> str | None:
    if isinstance(where, Path) and not where.exists():
        return None
    database = open_database(where, make=False)
    failures: tuple[type[Exception], ...] = (SQLAlchemyError, *database.failures)
    try:
        return newest_checkpoint(database.engine)
    except failures as error:
        raise LogError(f"{database.name}: the log cannot be read ({reason(error)})") from None
    finally:
        database.engine.dispose()
        database.lock.close()
