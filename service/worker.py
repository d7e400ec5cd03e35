"""One worker process: what granian loads. Keeps itself to one core, so that its threads do not fight for its lock."""

from __future__ import annotations

import fcntl
import gc
import os
import sys
from pathlib import Path
from typing import IO

from flask import Flask

from service.access import FollowedKeys
from service.app import Collaborators, PagePlan, create_app
from service.assembly import open_log, start_publisher
from service.audit import AuditPlan
from service.model_files import load_active
from service.pages.session import page_secret
from service.settings import read_settings
from service.telemetry import configure_logging, logger
from service.worker_life import end_with_parent

_claimed: list[IO[bytes]] = []


def wsgi() -> Flask:
    """The application of this worker (granian's factory)."""
    configure_logging()
    end_with_parent()
    settings = read_settings()
    claim_core(settings.var / "run")
    # Thread switches inside a request cost more than they give: each request is short and then waits for the disk.
    sys.setswitchinterval(0.02)
    released = load_active(settings.models, settings.keys)
    log = open_log(settings)
    start_publisher(log, settings)
    audit = AuditPlan(settings.audit_index, settings.audit_rate)
    keys = FollowedKeys(settings.keys)
    pages = PagePlan(page_secret(settings.keys), settings.keys, settings.https, settings.vignettes)
    collaborators = Collaborators(released, log, keys, settings.origin, audit, pages)
    app = create_app(collaborators, settings.body_limit, settings.batch_body_limit)
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
        os.sched_setaffinity(0, {core})
        return core
    return None
