"""What the log says of the service's own life: activations, overridden gates, starts and stops, and crashes."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from service import VERSION
from service.log.canonical import canonical_bytes
from service.log.store import AlreadyRecorded, LogStore, StoredEntry
from service.model_files import ReleasedModel
from service.settings import Settings

FIRST_START = "first start"
STOPPED = "stopped"
NO_STOP = "no stop recorded"


def record_start(released: ReleasedModel, log: LogStore, settings: Settings) -> str:
    """Records this start and, where the model is new to the log, its activation. Returns the id of the start's entry.

    The start says how the one before it ended, so that a crash shows: a crash itself records nothing.
    """
    record_activation(released, log)
    model = _named(released)
    started = {
        "configuration_sha256": configuration_digest(settings),
        "model": model,
        "previous": _previous_end(log),
        "version": VERSION,
        "workers": settings.workers,
    }
    return log.append("service_started", canonical_bytes(started)).entry_id


def record_stop(start_id: str, log: LogStore) -> None:
    """Records a stop in good order of the service whose start has that id; every worker has ended."""
    log.append("service_stopped", canonical_bytes({"started": start_id, "version": VERSION}))


def configuration_digest(settings: Settings) -> str:
    """SHA-256 over the canonical JSON of every setting, so that a start with another configuration shows.

    No setting holds a secret: keys and passwords are in files of their own.
    """
    shown = {name: _plain(getattr(settings, name)) for name in settings.__slots__}
    return hashlib.sha256(canonical_bytes(shown)).hexdigest()


def record_activation(released: ReleasedModel, log: LogStore) -> None:
    """Records that this model is in use from now on, unless the log's newest activation is of it."""
    model = _named(released)
    activation: dict[str, object] = {"model": model, "release_key": released.key_id}
    overridden = canonical_bytes({"model": model, "overrides": [asdict(override) for override in released.overrides]})
    if released.overrides:
        activation["gates_overridden"] = [override.gate for override in released.overrides]
        activation["overrides_sha256"] = hashlib.sha256(overridden).hexdigest()
    recorded = canonical_bytes(activation)
    last = log.latest_of_kind("model_activated")
    if last is not None and last.payload == recorded:
        return
    # Of several workers that start at once with a new model, one records it.
    after = -1 if last is None else last.index
    if released.overrides:
        # First, so that no crash between the two leaves an activation without them.
        with suppress(AlreadyRecorded):
            log.append("gates_overridden", overridden, unique=f"gates_overridden after {after}")
    with suppress(AlreadyRecorded):
        log.append("model_activated", recorded, unique=f"model_activated after {after}")


def _named(released: ReleasedModel) -> dict[str, object]:
    return {"version": released.model.version, "sha256": released.sha256, "synthetic": released.model.synthetic}


def _previous_end(log: LogStore) -> str:
    started = log.latest_of_kind("service_started")
    if started is None:
        return FIRST_START
    return STOPPED if _index(log.latest_of_kind("service_stopped")) > started.index else NO_STOP


def _index(entry: StoredEntry | None) -> int:
    return -1 if entry is None else entry.index


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value
