"""The log's signing key as a file that may be replaced while workers run: each takes the new one up by itself."""

from __future__ import annotations

from pathlib import Path

from service.log.checkpoint import SigningKey, SigningKeyError, VerifierKey, load_signing_key


def next_file(path: Path) -> Path:
    """Where the next key lies while a change of keys is under way: `log.next.pem` beside `log.pem`."""
    return path.with_suffix(".next.pem")


def first_file(path: Path) -> Path:
    """Where the log's first key lies until the log is begun: `log.first.pem` beside `log.pem`."""
    return path.with_suffix(".first.pem")


def retired_file(path: Path, key: VerifierKey) -> Path:
    """Where the public half of a key is kept once another took its place: `log-<key id>.pub` beside `log.pem`."""
    return path.with_name(f"{path.stem}-{key.key_id.hex()}.pub")


class FollowedKey(SigningKey):
    """The key in a file. Looks at the file at each use, which costs microseconds; reads it where it was replaced."""

    def __init__(self, path: Path, origin: str) -> None:
        """Raises `SigningKeyError` or `OSError`, as `load_signing_key` does."""
        self._path = path
        self._next = next_file(path)
        self._origin = origin
        self._seen = self._state()
        self._current = load_signing_key(path, origin)

    @property
    def name(self) -> str:
        """The log's name, which no change of keys changes."""
        return self._origin

    @property
    def verifier(self) -> VerifierKey:
        """The public half of the key that is in the file now. Raises `SigningKeyError` or `OSError`."""
        return self._read().verifier

    def signature_line(self, body: str) -> str:
        """As `SigningKey`. To be called under the log's lock; raises `SigningKeyError` while a change is unfinished."""
        if self._next.exists():
            # Whoever changes keys holds the log's lock until this file is gone; so it was cut off half way, and only
            # the log can tell which key is the right one.
            raise SigningKeyError(
                f"{self._next}: a change of the log's key was cut off; python -m service key settle-log finishes it"
            )
        return self._read().signature_line(body)

    def _state(self) -> tuple[int, int, int]:
        found = self._path.stat()
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> SigningKey:
        state = self._state()
        if state != self._seen:
            found = load_signing_key(self._path, self._origin)
            if found.verifier.text != self._current.verifier.text:
                self._check_handed_over(found.verifier)
            self._seen, self._current = state, found
        return self._current

    def _check_handed_over(self, found: VerifierKey) -> None:
        # A file from a backup, or of another service, must not sign this log: it would be accused for good.
        if not retired_file(self._path, self._current.verifier).exists() or retired_file(self._path, found).exists():
            raise SigningKeyError(
                f"{self._path}: another key lies here, to which the log was not handed over; restore the one before"
            )
