"""Puts a service together from its settings: keys, log, model, publisher. The command line and each worker use it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from service.access import Keys, read_keys
from service.log.canonical import canonical_bytes
from service.log.checkpoint import create_signing_key
from service.log.key_file import FollowedKey
from service.log.publisher import CheckpointPublisher
from service.log.rotation import settle
from service.log.store import LogStore
from service.model_files import ReleasedModel, load_active
from service.settings import Settings
from service.telemetry import logger

LOG_KEY = "log.pem"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a start of the service found and recorded."""

    released: ReleasedModel
    keys: Keys
    log_size: int


def open_log(settings: Settings) -> LogStore:
    """The log of this service; its signing key and schema are made on first use."""
    key_file = settings.keys / LOG_KEY
    database = settings.log_database
    if not key_file.exists():
        if isinstance(database, Path) and database.exists():
            raise FileNotFoundError(
                f"{key_file}: the log exists but its signing key is gone; restore the key from your backup"
            )
        create_signing_key(key_file, settings.origin)
    if isinstance(database, Path):
        database.parent.mkdir(parents=True, exist_ok=True)
    settle(database, key_file, settings.origin)
    return LogStore.open(database, FollowedKey(key_file, settings.origin))


def start_publisher(log: LogStore, settings: Settings) -> CheckpointPublisher:
    """Starts publishing checkpoints once a second; a failure to publish is logged."""
    publisher = CheckpointPublisher(
        log, settings.checkpoints, on_error=lambda error: logger().error("checkpoint_not_published", error=str(error))
    )
    publisher.start()
    return publisher


def prepare(settings: Settings) -> Prepared:
    """Checks the model, opens the log, and records this start and, where the model is new to the log, its activation.

    Raises `ArtefactError` where the model cannot be trusted: a service does not start with it.
    """
    released = load_active(settings.models, settings.keys)
    log = open_log(settings)
    try:
        _record_start(released, log, settings)
        return Prepared(released, Keys(read_keys(settings.keys)), log.size())
    finally:
        log.close()


def _record_start(released: ReleasedModel, log: LogStore, settings: Settings) -> None:
    model = {"version": released.model.version, "sha256": released.sha256, "synthetic": released.model.synthetic}
    last = log.latest_of_kind("model_activated")
    activation = canonical_bytes({"model": model, "release_key": released.key_id})
    if last is None or last.payload != activation:
        log.append("model_activated", activation)
    started = {"configuration_sha256": configuration_digest(settings), "model": model, "workers": settings.workers}
    log.append("service_started", canonical_bytes(started))


def configuration_digest(settings: Settings) -> str:
    """SHA-256 over every setting, so that the log shows when a service started with another configuration."""
    shown = {name: _plain(getattr(settings, name)) for name in settings.__slots__}
    return hashlib.sha256(canonical_bytes(shown)).hexdigest()


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value
