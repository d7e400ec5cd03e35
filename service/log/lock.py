"""The lock file on which the log's writers queue, threads and processes alike."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path
from types import TracebackType


class LockFile:
    """A context manager that one holder at a time is inside of, on this machine. Waiting costs no polling.

    The kernel gives the lock up when a process ends, however that ends. Not re-entrant.
    """

    def __init__(self, path: Path) -> None:
        # The lock belongs to the open file, so threads of this process would share it: they queue on the mutex.
        self._mutex = threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> None:
        self._mutex.acquire()
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            self._mutex.release()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        finally:
            self._mutex.release()

    def close(self) -> None:
        """Gives the file back; taking the lock raises `ValueError` from now on."""
        with self._mutex:
            file, self._file = self._file, -1
            os.close(file)
