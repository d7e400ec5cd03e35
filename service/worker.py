"""One worker process: what granian loads. Keeps itself to one core, so that its threads do not fight for its lock."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path
from typing import IO

from flask import Flask

from service.access import Keys, read_keys
from service.app import Collaborators, create_app
from service.assembly import open_log, start_publisher
from service.audit import AuditPlan
from service.model_files import load_active
from service.settings import read_settings
from service.telemetry import configure_logging, logger

_claimed: list[IO[bytes]] = []


def wsgi() -> Flask:
    """The application of this worker (granian's factory)."""
    configure_logging()
    settings = read_settings()
    claim_core(settings.var / "run")
    # Thread switches inside a request cost more than they give: each request is short and then waits for the disk.
    sys.setswitchinterval(0.02)
    released = load_active(settings.models, settings.keys)
    log = open_log(settings)
    start_publisher(log, settings)
    audit = AuditPlan(settings.audit_index, settings.audit_rate)
    keys = Keys(read_keys(settings.keys))
    app = create_app(Collaborators(released, log, keys, settings.origin, audit), settings.body_limit)
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
        os.sched_setaffinity(0, {core})
        return core
    return None
