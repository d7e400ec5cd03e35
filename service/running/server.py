"""Starts granian with a worker a core, and tells the newcomer when it answers."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import IO

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from model.files import write_whole
from service.model_files import ReleasedModel
from service.running import port
from service.running.heeding import heed
from service.running.metrics import prepare_folder
from service.running.rehearsal import why_not
from service.running.telemetry import configure_logging, logger
from service.screening.api import example_request
from service.settings import Settings

PID_FILE = "service.pid"
REFUSED = "reload-refused"
"""Why the newest reload was not made, for who asked for it."""
_HEEDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_claimed: list[IO[bytes]] = []


class ServerError(RuntimeError):
    """The server cannot start; one line with the fix."""


def check_port(settings: Settings) -> None:
    """Raises `ServerError` where the port cannot be listened on, before anything is recorded."""
    if said := port.why_not(settings.host, settings.port):
        raise ServerError(said)


def claim_folder(settings: Settings) -> None:
    """Keeps every other service from serving from this folder, for as long as this process lives.

    Raises `ServerError` where one does: two would take each other's process id, counters and cores.
    """
    settings.run.mkdir(parents=True, exist_ok=True)
    file = (settings.run / "service.lock").open("ab")
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of this process alone: no worker has it after its end
    except OSError:
        file.close()
        raise ServerError(f"{settings.var}: another service serves from this folder; give this one its own") from None
    _claimed.append(file)


def serve_workers(settings: Settings) -> None:
    """Serves until stopped. Dead workers are replaced; a stop lets requests in flight finish."""
    # Workers are started afresh and read their settings from the environment, so the whole of it goes there.
    os.environ.update(
        GROUNDS_VAR=str(settings.var),
        GROUNDS_CHECKPOINTS=str(settings.checkpoints),
        GROUNDS_LOG_DATABASE=settings.database_url,
        GROUNDS_LOG_ORIGIN=settings.origin,
        GROUNDS_HTTPS="yes" if settings.https else "no",
        GROUNDS_BODY_LIMIT=str(settings.body_limit),
        GROUNDS_BATCH_BODY_LIMIT=str(settings.batch_body_limit),
    )
    # Each thread would get a heap of its own from the C library, and keep what its largest answer took.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    configure_logging()
    _workers_stop_when_told()
    prepare_folder(settings.run / "metrics")
    pid_file = settings.run / PID_FILE
    write_whole(pid_file, str(os.getpid()).encode())
    server = Granian(
        "service.running.worker:asgi",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.workers,
        http1_settings=HTTP1Settings(header_read_timeout=10_000, max_buffer_size=64 * 1024),
        backlog=1024,
        respawn_failed_workers=True,
        workers_kill_timeout=30,
        log_level=LogLevels.error,
    )
    server.on_startup(
        lambda: _rehearse_reloads(settings.run / REFUSED)
    )  # granian's handlers are there by then, and no worker yet
    server.on_startup(lambda: heed(*_HEEDED))
    server.serve()
    pid_file.unlink(missing_ok=True)


def _rehearse_reloads(refused: Path) -> None:
    """Heeds a SIGHUP only where a worker that starts now could serve: granian ends the old ones in any case."""
    reload = signal.getsignal(signal.SIGHUP)
    one_at_a_time = threading.Lock()

    def rehearsed(number: int) -> None:
        with one_at_a_time:
            why = why_not()
        if why is None and callable(reload):
            reload(number, None)
        else:
            logger().error("reload_refused", error=why)
            write_whole(refused, f"{why}\n".encode())

    def heeded(number: int, _frame: FrameType | None) -> None:
        # Not in the thread that heeds signals: a stop must not wait for it.
        threading.Thread(target=rehearsed, args=(number,), name="rehearsal", daemon=True).start()

    signal.signal(signal.SIGHUP, heeded)


def _workers_stop_when_told() -> None:
    """Makes a worker heed its parent alone, and that from its first moment.

    A forked worker has its parent's handlers until it serves: a stop in that half second was swallowed, and the service
    took the 30 seconds to end after which a worker is killed. It serves nobody yet, so the signal's default is right.
    A terminal sends Ctrl-C to all processes: a worker that ended by itself was taken for one that had failed. Its
    parent tells it to stop, so SIGINT stays held back in it, as it is in the thread that forks
    (`service.running.heeding`).
    """

    def in_worker() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    os.register_at_fork(after_in_child=in_worker)


def announce_when_ready(settings: Settings, lines: Sequence[str]) -> None:
    """Prints the lines once `/readyz` answers, so that what is printed works when it is read.

    In a process of its own: the server forks its workers, and a fork while another thread holds a lock of the
    interpreter leaves a worker that hangs at its first request.
    """
    announcer = subprocess.Popen(
        [sys.executable, "-m", "service.running.announce", f"http://{settings.host}:{settings.port}/readyz"],
        stdin=subprocess.PIPE,
    )
    assert announcer.stdin is not None
    with announcer.stdin as pipe:
        pipe.write("\n".join(lines).encode())


def curl_line(address: str, key: str, released: ReleasedModel) -> str:
    """A request that works when pasted into a shell."""
    body = json.dumps(example_request(released))
    return (
        f"curl -s {address}/v1/screenings -H 'Authorization: Bearer {key}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )
