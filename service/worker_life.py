"""A worker process lives no longer than the process that started it."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Asks the kernel to stop this worker when its parent dies, however it dies.

    A worker left behind would keep the port and go on answering, unseen by whoever restarts the service.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0):
        from service.telemetry import logger  # half of what a worker of a file job would load otherwise

        logger().warning("worker_may_outlive_parent", error=os.strerror(ctypes.get_errno()))
    if os.getppid() == 1 and multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGTERM)  # it died before the kernel was asked
