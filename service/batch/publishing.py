"""A file that has no name until it may be seen: a job that is interrupted, or killed, leaves nothing behind."""

from __future__ import annotations

import errno
import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from model.files import sync_folder

_NO_NAMELESS = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)
_OWNER_ALONE = 0o600


class UnseenFile:
    """A file being written beside where it will be, for its owner alone: it holds scores."""

    def __init__(self, out: Path, file: io.BufferedRandom, named: Path | None) -> None:
        self.file = file
        self._out = out
        self._named = named

    def settle(self) -> str:
        """Makes the bytes durable. Returns their SHA-256, in hex."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.seek(0)
        return hashlib.file_digest(self.file, "sha256").hexdigest()

    def publish(self) -> None:
        """Gives it its name in one step, in the place of any older file. Raises `OSError`."""
        named = self._named
        if named is None:
            named = _beside(self._out)
            folder = os.open(self._out.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                # The folder given makes Python follow the link in /proc, which is what names a nameless file.
                os.link(f"/proc/self/fd/{self.file.fileno()}", named, src_dir_fd=folder)
            finally:
                os.close(folder)
        self._named = None
        try:
            named.replace(self._out)
        except BaseException:
            named.unlink(missing_ok=True)
            raise
        sync_folder(self._out.parent)

    def forget(self) -> None:
        """Removes it, unless it was published."""
        self.file.close()
        if self._named is not None:
            self._named.unlink(missing_ok=True)


@contextmanager
def unseen_file(out: Path) -> Iterator[UnseenFile]:
    """A file to write and then `publish` as `out`; when the block ends without that, it and its folders go."""
    with _folders(out.parent), _unseen(out) as unseen:
        yield unseen


@contextmanager
def _folders(folder: Path) -> Iterator[None]:
    """Makes a folder and those above it; what holds nothing in the end is removed again."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):  # it is not empty, so neither are those above it
            for each in made:
                each.rmdir()


@contextmanager
def _unseen(out: Path) -> Iterator[UnseenFile]:
    named = None
    try:
        descriptor = os.open(out.parent, os.O_TMPFILE | os.O_RDWR, _OWNER_ALONE)
    except OSError as error:
        if error.errno not in _NO_NAMELESS:
            raise
        # A file system without nameless files: a kill leaves this one, hidden and for its owner alone.
        named = _beside(out)
        descriptor = os.open(named, os.O_CREAT | os.O_EXCL | os.O_RDWR, _OWNER_ALONE)
    unseen = UnseenFile(out, os.fdopen(descriptor, "w+b"), named)
    try:
        yield unseen
    finally:
        unseen.forget()


def _beside(out: Path) -> Path:
    return out.with_name(f".{out.name}.{os.getpid()}")
