"""Changes the log's signing key. The change is an entry that the old key signs, so that a verifier can follow it.

Order, one change at a time, and with SQLite all under the log's lock: the new key is on disk; the entry and a
checkpoint signed by both keys are in the log; the new key takes the old one's place. A crash in between leaves
`log.next.pem`: no worker signs until `settle` has seen in the log whether the change happened.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from model.files import sync_folder, write_whole
from service.log.checkpoint import CheckpointError, SigningKey, VerifierKey, create_signing_key, load_signing_key
from service.log.databases import open_database
from service.log.databases.database import Database
from service.log.entry import SALT_BYTES, commitment, uuid7
from service.log.key_file import next_file, retired_file
from service.log.key_history import change_payload
from service.log.lock import LockFile
from service.log.merkle import Frontier
from service.log.packing import Packing
from service.log.schema import LogError, log_checkpoint, upgrade
from service.log.writer import MovedOn, Pending, Writer, reason

_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Rotation:
    """A change of keys that is on disk: the entry's index, the key before and the one that signs from now on."""

    index: int
    previous: VerifierKey
    following: VerifierKey


def rotate(database: Path | str, key_file: Path, origin: str, clock: Callable[[], int] = time.time_ns) -> Rotation:
    """Makes a new key and hands the log over to it; running workers take it up at their next commit.

    The old private key is gone afterwards; its public half stays beside the new one as `log-<key id>.pub`. `clock`
    gives nanoseconds since 1970. Raises `LogError`, `SigningKeyError` or `OSError`; the log then goes on as before.
    """
    with _held(database) as held, alone(key_file):
        _settle(held.engine, key_file, origin)
        previous = load_signing_key(key_file, origin)
        try:
            previous.verifier.open(_latest(held.engine))
        except CheckpointError as error:
            raise LogError(f"{key_file}: not the key that signs this log ({error}); restore the right one") from None
        following = create_signing_key(next_file(key_file), origin)
        sync_folder(key_file.parent)
        try:
            index = _record(held, _BothKeys(previous, following), clock)
        except BaseException:
            # Whether the entry reached the disk, only the log can tell.
            _settle(held.engine, key_file, origin)
            raise
        _adopt(key_file, previous.verifier)
        return Rotation(index, previous.verifier, following.verifier)


def settle(database: Path | str, key_file: Path, origin: str) -> None:
    """Finishes a change of keys that was cut off, or undoes it where the log does not hold it. Raises as `rotate`."""
    if next_file(key_file).exists():
        with _held(database) as held, alone(key_file):
            _settle(held.engine, key_file, origin)


class _BothKeys(SigningKey):
    """Signs as the previous key, and adds the signature of the following one."""

    def __init__(self, previous: SigningKey, following: SigningKey) -> None:
        self.previous, self.following = previous, following

    @property
    def verifier(self) -> VerifierKey:
        return self.previous.verifier

    def signature_line(self, body: str) -> str:
        return self.previous.signature_line(body) + self.following.signature_line(body)


@contextmanager
def alone(key_file: Path) -> Iterator[None]:
    """Keeps others from changing or settling the key meanwhile: the log's own lock is a file only with SQLite."""
    lock = LockFile(key_file.with_suffix(".lock"))
    try:
        with lock:
            yield
    finally:
        lock.close()


@contextmanager
def _held(where: Path | str) -> Iterator[Database]:
    if isinstance(where, Path) and not where.exists():
        raise LogError(f"{where}: there is no log yet; its key is made at the first start")
    database = open_database(where)
    failures: tuple[type[Exception], ...] = (SQLAlchemyError, *database.failures)
    try:
        with database.lock:
            try:
                upgrade(database.engine)
                yield database
            except failures as error:
                raise LogError(f"{database.name}: the log cannot be written ({reason(error)})") from None
            finally:
                database.disconnect()
                database.engine.dispose()
    finally:
        database.lock.close()


def _record(database: Database, keys: _BothKeys, clock: Callable[[], int]) -> int:
    writer = Writer(database, keys, clock, Packing(database.engine))
    newest = select(log_checkpoint.c.size, log_checkpoint.c.frontier).order_by(log_checkpoint.c.size.desc()).limit(1)
    for _ in range(_ATTEMPTS):
        with database.engine.connect() as connection:
            size, peaks = connection.execute(newest).one()
        payload = change_payload(keys.previous, keys.following, size, Frontier(size, peaks).root())
        salt = os.urandom(SALT_BYTES)
        pending = Pending("key_created", uuid7(), salt, commitment(salt, payload), payload, unique=None)
        try:
            writer.commit([pending], expected=size)
        except MovedOn:  # another host's, where the log's lock is not a file
            continue
        assert pending.receipt is not None
        return pending.receipt.index
    raise LogError("the log grows faster than its key can be changed; stop the services and try again")


def _settle(engine: Engine, key_file: Path, origin: str) -> None:
    fresh = next_file(key_file)
    if not fresh.exists():
        return
    note = _latest(engine)
    try:
        load_signing_key(fresh, origin).verifier.open(note)
    except CheckpointError:
        fresh.unlink()
        fresh.with_suffix(".pub").unlink(missing_ok=True)
        sync_folder(key_file.parent)
    else:
        _adopt(key_file, load_signing_key(key_file, origin).verifier)


def _adopt(key_file: Path, previous: VerifierKey) -> None:
    fresh, public = next_file(key_file), key_file.with_suffix(".pub")
    following = load_signing_key(fresh, previous.name).verifier
    write_whole(retired_file(key_file, previous), f"{previous.text}\n".encode())
    # The public key first: should this be cut off, the file that says so is still there, and all is done again.
    write_whole(public, f"{following.text}\n".encode())
    fresh.with_suffix(".pub").unlink(missing_ok=True)
    sync_folder(key_file.parent)
    fresh.replace(key_file)
    sync_folder(key_file.parent)


def _latest(engine: Engine) -> str:
    newest = select(log_checkpoint.c.text).order_by(log_checkpoint.c.size.desc()).limit(1)
    with engine.connect() as connection:
        return str(connection.execute(newest).scalar_one())
