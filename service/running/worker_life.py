"""A worker process lives no longer than the process that started it."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import select
import signal
import threading
import time

_PR_SET_PDEATHSIG = 1
_GRACE_SECONDS = 30
"""For what is in hand when the parent dies, as the server gives a worker that it stops."""


def end_with_parent() -> None:
    """Asks the kernel to stop this worker when its parent dies, however it dies.

    A worker left behind would keep the port and go on answering, unseen by whoever restarts the service.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0):
        from service.running.telemetry import logger  # half of what a worker of a file job would load otherwise

        logger().warning("worker_may_outlive_parent", error=os.strerror(ctypes.get_errno()))
    parent = os.pidfd_open(os.getppid())
    threading.Thread(target=_end_after, args=(parent,), daemon=True).start()
    if os.getppid() == 1 and multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGTERM)  # it died before the kernel was asked


def _end_after(parent: int) -> None:
    """Sees to it that this process ends once its parent, a process's file descriptor, has.

    Under load a worker of granian's was now and then seen to serve on after the kernel's one signal, and kept
    the port from the service that its supervisor started anew.
    """
    select.select([parent], [], [])
    for _ in range(_GRACE_SECONDS):
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGKILL)
