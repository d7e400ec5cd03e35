"""`python -m service reload`: the running service takes up the active model, a worker at a time, dropping no request.

The server starts a new worker, and some seconds later lets the old one finish what it has in hand and end.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from service.model_files import ReleasedModel, load_active
from service.running.server import PID_FILE, REFUSED
from service.settings import Settings

PATIENCE = 180.0
"""Seconds that a reload may take: a worker may have 30 to finish what it has in hand, and its successor is tried."""


class ReloadError(RuntimeError):
    """The service could not be reloaded; one line with the fix."""


def reload(settings: Settings, patience: float = PATIENCE) -> ReleasedModel:
    """Replaces every worker of this folder's service; returns the model that they serve once all old ones have ended.

    The model is read and its signature checked here first, so that no worker starts with one that cannot be trusted.
    The service then tries all that a worker does at its start; where that fails, its workers stay as they are. Raises
    `ArtefactError`, and `ReloadError` where no service runs, no worker could start, or they are not replaced in time.
    """
    released = load_active(settings.models, settings.keys)
    server = _server(settings.run / PID_FILE)
    refused = settings.run / REFUSED
    refused.unlink(missing_ok=True)
    old = workers(server)
    os.kill(server, signal.SIGHUP)

    def replaced() -> bool:
        if refused.exists():
            raise ReloadError(f"nothing was reloaded, for a worker could not start: {refused.read_text().strip()}")
        if not _command_line(server):
            raise ReloadError("the service ended while it was reloaded; read its log, and start it again")
        return not old & (now := workers(server)) and len(now) >= len(old)

    if not _comes_about(replaced, patience):
        raise ReloadError(
            f"the workers were not all replaced in {patience:.0f} s; read the service's log, then restart it"
        )
    return released


def workers(server: int) -> set[int]:
    """Process ids of a server's workers, by Linux' /proc: forks of it, which have its command line."""
    try:
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    except OSError:
        return set()
    own = _command_line(server)
    return {int(child) for child in children if _command_line(int(child)) == own}


def _server(pid_file: Path) -> int:
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        raise ReloadError(
            f"{pid_file}: no service runs from this folder; start it, it takes up the active model"
        ) from None
    if b"service" not in _command_line(pid):
        raise ReloadError(f"{pid_file}: the service that wrote it has ended; start it, it takes up the active model")
    return pid


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _comes_about(holds: Callable[[], bool], patience: float) -> bool:
    ends = time.monotonic() + patience
    while not holds():
        if time.monotonic() > ends:
            return False
        time.sleep(0.1)
    return True
