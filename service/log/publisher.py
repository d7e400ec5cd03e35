"""Publishes the newest checkpoint, once a second, to a folder outside the database's trust domain.

`checkpoint` holds the newest one; `checkpoints` keeps each that was published, a JSON line `{"checkpoint"}` each, for
`log verify --since`. Whoever then rewrites the log whole is found out by what was published before.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import orjson

from model.files import write_whole
from service.log.checkpoint import Checkpoint, VerifierKey, read_unverified
from service.log.schema import LogError

NEWEST, KEPT, LOCK = "checkpoint", "checkpoints", ".publisher.lock"


class PublishError(LogError):
    """The log contradicts what was published of it; the line may be shown to anybody (`/readyz`)."""


class CheckpointSource(Protocol):
    """What the publisher needs of a log."""

    @property
    def verifier_key(self) -> VerifierKey:
        """The key that signs the checkpoints."""
        ...

    def latest_checkpoint(self) -> str:
        """The newest signed checkpoint."""
        ...


def published(folder: Path) -> str | None:
    """The checkpoint that was published last; None before the first. Raises `OSError`."""
    path = folder / NEWEST
    return path.read_text(encoding="utf-8") if path.exists() else None


def check_published(folder: Path, log: CheckpointSource) -> None:
    """Raises `PublishError` where the log is not what was published, or more.

    Raises `CheckpointError` or `OSError` where what was published cannot be read.
    """
    before = published(folder)  # first, for others may publish a newer one meanwhile
    if before is not None:
        check_succession(read_unverified(before), log.verifier_key.open(log.latest_checkpoint()))


def check_succession(before: Checkpoint, newest: Checkpoint) -> None:
    """Raises `PublishError` where the log, at its newest, cannot be the one that was published before."""
    if newest.size < before.size:
        raise PublishError(
            f"the log has {newest.size} entries, and {before.size} were published before: entries were removed; "
            "keep the published checkpoints and the database, verify the log, and restore it from your backup"
        )
    if newest.size == before.size and newest.root != before.root:
        raise PublishError(f"the log of {newest.size} entries is not the one published before; verify the log")


class CheckpointPublisher:
    """A daemon thread; of all processes that publish to one folder, one at a time does."""

    def __init__(
        self,
        log: CheckpointSource,
        folder: Path,
        on_error: Callable[[Exception], None],
        interval: float = 1.0,
    ) -> None:
        """`on_error` is told of every failed attempt, from the thread; `interval` is in seconds."""
        self._log = log
        self._folder = folder
        self._on_error = on_error
        self._interval = interval
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoint-publisher", daemon=True)
        self._lock: int | None = None
        self._published: str | None = None

    def start(self) -> None:
        """Starts publishing."""
        self._thread.start()

    def stop(self) -> None:
        """Publishes a last time, ends the thread and lets another process publish. Call it before closing the log."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _run(self) -> None:
        while True:
            last = self._stopping.is_set()
            try:
                self.publish()
            except Exception as error:
                self._on_error(error)
            if last:
                return
            self._stopping.wait(self._interval)

    def publish(self) -> None:
        """Publishes the newest checkpoint, unless another process publishes here or nothing is new.

        Raises `PublishError` where the log has become shorter than, or differs from, what was published; `OSError`
        where the folder cannot be written.
        """
        if not self._is_mine():
            return
        note = self._log.latest_checkpoint()
        if self._published is None:
            self._published = published(self._folder)
        if note == self._published:
            return
        newest = self._log.verifier_key.open(note)
        if self._published is not None:
            # Perhaps signed by a key that was changed since; a hand that writes here can only raise the alarm.
            check_succession(read_unverified(self._published), newest)
        self._keep(note)
        self._replace(note)
        self._published = note

    def _is_mine(self) -> bool:
        if self._lock is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                return False
            except BaseException:
                os.close(lock)
                raise
            self._lock = lock
        return True

    def _keep(self, note: str) -> None:
        with (self._folder / KEPT).open("ab+") as file:
            end = file.seek(0, os.SEEK_END)
            if end:
                file.seek(end - 1)
                if file.read(1) != b"\n":
                    file.write(b"\n")  # a crash or a full disk left half a line
            file.write(orjson.dumps({"checkpoint": note}, option=orjson.OPT_APPEND_NEWLINE))
            file.flush()
            os.fsync(file.fileno())

    def _replace(self, note: str) -> None:
        write_whole(self._folder / NEWEST, note.encode())
