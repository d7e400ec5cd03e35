"""One worker process: what granian loads. Keeps itself to one core, so that its threads do not fight for its lock."""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from sqlalchemy.exc import SQLAlchemyError

from model.artefact import ArtefactError
from service.access.keys import FollowedKeys, KeyFileError
from service.app import Collaborators, PagePlan, create_app
from service.audit import AuditPlan
from service.bodies import Bodies
from service.body_times import body_times
from service.cds_hooks.plan import cds_plan
from service.log.checkpoint import SigningKeyError
from service.log.store import LogError, NotDurable
from service.log.writer import reason
from service.model_files import load_active
from service.pages.session import page_secret
from service.running.assembly import LOG_KEY, open_log, start_publisher, tokens_of
from service.running.heeding import heed
from service.running.lifetime import record_activation
from service.running.metrics import Metrics
from service.running.readiness import Places
from service.running.telemetry import configure_logging, logger
from service.running.worker_life import end_with_parent
from service.sandbox.door import SandboxDoor, SandboxKeys, made_up_alone
from service.screening.many_api import BATCH_ADDRESS
from service.screening.seats import Seats
from service.settings import SettingsError, read_settings
from service.web import Web

EXPECTED = (ArtefactError, KeyFileError, LogError, NotDurable, OSError, SettingsError, SigningKeyError)
"""What a start may meet, and an operator can put right: one line and no traceback."""
_claimed: list[IO[bytes]] = []


def wsgi() -> Web:
    """The application of this worker (granian's factory)."""
    heed(signal.SIGTERM)
    configure_logging()
    try:
        return assembled()
    except SQLAlchemyError as error:
        why = reason(error)
    except EXPECTED as error:
        why = str(error)
    # None of this is of any case: none was read yet.
    logger().error("worker_cannot_start", error=why)
    raise SystemExit(1)


def assembled() -> Web:
    """The application and all that it works with, of this process."""
    end_with_parent()
    settings = read_settings()
    if claim_core(settings.run) is None:
        # At a reload the worker that this one replaces still has it.
        threading.Thread(target=claim_core_later, args=(settings.run,), daemon=True).start()
    # Thread switches inside a request cost more than they give: each request is short and then waits for the disk.
    sys.setswitchinterval(0.02)
    released = load_active(settings.models, settings.keys)
    log = open_log(settings)
    start_publisher(log, settings)
    audit = AuditPlan(settings.audit_index, settings.audit_rate)
    keys = FollowedKeys(settings.keys, tokens_of(settings))
    pages = PagePlan(page_secret(settings.keys), settings.keys, settings.https, settings.vignettes)
    record_activation(released, log)
    places = Places(settings.keys, settings.keys / LOG_KEY, settings.checkpoints)
    metrics = Metrics()
    collaborators = Collaborators(
        released,
        log,
        keys,
        settings.origin,
        audit,
        pages,
        places,
        metrics,
        settings.screening_rate,
        cds_plan(settings),
        settings.keys,
    )
    app = create_app(collaborators, settings.body_limit, settings.batch_body_limit)
    app.sandbox = SandboxDoor(
        settings,
        lambda sandbox_log, origin: create_app(
            Collaborators(
                released,
                sandbox_log,
                SandboxKeys(keys),
                origin,
                screening_rate=settings.screening_rate,
                release_keys=settings.keys,
                refuse=made_up_alone,
            ),
            settings.body_limit,
            settings.batch_body_limit,
        ),
    )
    times = body_times(settings.body_seconds, settings.port)
    app.bodies = Bodies(settings.threads, settings.body_limit, {BATCH_ADDRESS: settings.batch_body_limit}, times)
    app.seats = Seats(settings.threads, settings.threads // 2, metrics.queued)
    # What a start leaves behind stays: looking through it for garbage again and again costs each request a twentieth.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    logger().info("worker_ready", model=released.model.version, pid=os.getpid())
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
