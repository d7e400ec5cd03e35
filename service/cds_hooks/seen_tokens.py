"""Tokens that were used: each is good once for all workers of a machine. A file a token, made by whoever is first."""

from __future__ import annotations

import os
import threading
import time
from hashlib import sha256
from pathlib import Path

SWEEP_SECONDS = 60.0


class SeenTokens:
    """A folder of empty files: their names hold when the token ends and a digest of issuer and token id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._swept = 0.0

    def first(self, issuer: str, token_id: str, ends: int) -> bool:
        """Whether this is its first use. `ends` is when it can be forgotten (seconds since the epoch). Raises OSError.

        Creating a file that must not exist is one step of the file system, so of two workers only one is first.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sweep()
        digest = sha256(f"{issuer}\n{token_id}".encode()).hexdigest()
        try:
            os.close(os.open(self._folder / f"{digest}-{ends}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return False
        return True

    def _sweep(self) -> None:
        """Forgets what has ended; such a token is refused by its own time."""
        now = time.time()
        with self._lock:
            if now - self._swept < SWEEP_SECONDS:
                return
            self._swept = now
        for path in self._folder.iterdir():
            ends = path.name.rpartition("-")[2]
            if ends.isdigit() and int(ends) < now:
                path.unlink(missing_ok=True)
