"""Files that appear whole or not at all, and are on disk before anything relies on them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Puts `data` at `path` in one step, durably: after a power cut there is the old file or the new one.

    Makes missing folders (mode 0700 where the file is for its owner alone). Raises `OSError`.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o777 if mode & 0o077 else 0o700)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def check_can_hold(folder: Path) -> None:
    """Raises `OSError` where no file could be put into `folder`, there yet or not. Leaves nothing behind.

    For work of minutes whose result is to be written in the end. Permissions alone would not tell: a disk may be
    full or read-only, and a superuser has all of them.
    """
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest) as trial:
            trial.write(b"\0")
    except OSError as error:
        raise OSError(f"{folder}: cannot be written to: {error.strerror}; name another folder") from None


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable: a file's own fsync does not."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
