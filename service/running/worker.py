"""One worker process: what granian loads. Keeps itself to one core, so that its threads do not fight for its lock."""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from multiprocessing.util import Finalize
from pathlib import Path
from typing import IO

from service.model_files import load_active
from service.running.application import CannotStart, application, said_plainly
from service.running.assembly import open_log, start_publisher
from service.running.door import Door
from service.running.heeding import heed, heed_in_loop
from service.running.lifetime import record_activation
from service.running.metrics import Metrics
from service.running.telemetry import configure_logging, logger
from service.running.worker_life import end_with_parent
from service.settings import read_settings
from service.web import Web

_AGAIN_SECONDS = 2.0
THREADS_A_SEAT = 6
"""Four times as many as requests are served at once for bodies on their way (service.bodies), half as many that wait
(screening.seats): the rest is there for whoever is turned away and for the addresses of status, whatever senders do."""
_claimed: list[IO[bytes]] = []


def asgi() -> Door:
    """The application of this worker (granian's factory).

    While it cannot start it says so and tries again, until it is told to stop: a worker that ended would be started
    anew at once, and a second such end within seconds is a crash loop to the server, which then ends all others too.
    """
    heed(signal.SIGTERM)
    heed_in_loop(asyncio.get_event_loop(), signal.SIGTERM)  # the one that granian made, and will run
    configure_logging()
    end_with_parent()
    said = None
    while True:
        try:
            return Door(assembled(), THREADS_A_SEAT * read_settings().threads)
        except CannotStart as error:
            if str(error) != said:
                said = str(error)
                logger().error("worker_cannot_start", error=said)
        time.sleep(_AGAIN_SECONDS)


def assembled() -> Web:
    """The application and all that it works with, of this process. Raises `CannotStart`."""
    with said_plainly():
        settings = read_settings()
        # Thread switches inside a request cost more than they give: each request is short and then waits for the disk.
        sys.setswitchinterval(0.02)
        released = load_active(settings.models, settings.keys)
        log = open_log(settings)
        try:
            metrics = Metrics()
            app = application(settings, released, log, metrics)
            record_activation(released, log)
        except BaseException:
            log.close()
            raise
    Finalize(None, metrics.write_down, exitpriority=0)  # at the end of a worker in order; `atexit` is not heard there
    start_publisher(log, settings)
    if claim_core(settings.run) is None:
        # At a reload the worker that this one replaces still has it.
        threading.Thread(target=claim_core_later, args=(settings.run,), daemon=True).start()
    # What a start leaves behind stays: looking through it for garbage again and again costs each request a twentieth.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    logger().info("worker_ready", model=released.model.version, kernel=released.kernel_state, pid=os.getpid())
    return app


def claim_core(folder: Path) -> int | None:
    """Pins this process to the first core that no other worker holds; None where there is none left.

    The claim is a lock on a file, so it ends with the process, however that ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for core in sorted(os.sched_getaffinity(0)):
        file = (folder / f"core-{core}.lock").open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        _claimed.append(file)
        for thread in Path("/proc/self/task").iterdir():
            with suppress(ProcessLookupError):  # it has ended since
                os.sched_setaffinity(int(thread.name), {core})
        return core
    return None


def claim_core_later(folder: Path, tries: int = 120) -> None:
    """Tries to claim a core once a second, for as long as the worker before may take to end."""
    for _ in range(tries):
        time.sleep(1)
        if claim_core(folder) is not None:
            return
