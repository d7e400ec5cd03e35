"""A command that is told to stop ends in order: temporary folders are removed, and no worker process is left behind."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPED = 128 + signal.SIGTERM
"""Exit code, as shells give it for a process that a signal ended."""
LOKY = "joblib.externals.loky"


@contextmanager
def ends_in_order() -> Iterator[None]:
    """Within it SIGTERM raises SystemExit, so that every `with` and `finally` is run through; workers end behind it.

    Without this the process would end on the spot, and joblib's workers and their files minutes later.
    """
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    except SystemExit as ended:
        if ended.code == STOPPED:  # else they are idle, and joblib ends them in its own way at the exit
            _end_workers()
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # told twice: what ends already is not cut off
    raise SystemExit(STOPPED)


def _end_workers() -> None:
    if LOKY not in sys.modules:  # nothing ran in parallel, and the import takes time
        return
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)
