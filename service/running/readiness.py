"""Whether a screening could be answered, recorded and explained later: each thing that it takes, looked at.

Cheap enough to be asked every second: a file is read again only where it changed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from model.artefact import MODEL_FILE, SIGNATURE_FILE, ArtefactError
from service.access.key_records import keys_were_made
from service.access.keys import KEY_FILE, KeyFileError, read_keys
from service.log.checkpoint import CheckpointError, read_unverified
from service.log.publisher import PublishError, check_succession, published
from service.log.schema import LogError
from service.log.store import LogStore
from service.model_files import RELEASE_PUBLIC_KEY, ReleasedModel, load_released
from service.running.telemetry import logger

BEHIND_SECONDS = 30.0
"""How long the published checkpoint may be behind the log; it is published every second."""
WELL = "ok"


@dataclass(frozen=True, slots=True)
class Places:
    """Where a service keeps what it needs to go on: its keys, the log's own key file, the published checkpoints."""

    keys: Path
    log_key: Path
    checkpoints: Path


class Readiness:
    """Looks at the log, the model in use, the log's key and the published checkpoints of one worker."""

    def __init__(self, log: LogStore, released: ReleasedModel, places: Places | None) -> None:
        """`places` None leaves out what lies in files."""
        self._log = log
        self._released = released
        self._places = places
        self._model_state: tuple[object, ...] | None = None
        self._model = WELL
        self._behind_since: float | None = None
        self._published: str | None = None
        self._had_keys = places is not None and (places.keys / KEY_FILE).exists()
        self._key_file_state: tuple[object, ...] | None = None
        self._key_file = WELL

    def faults(self) -> dict[str, str]:
        """What is not well, by name, in words without case data; empty where all is."""
        return {name: said for name, said in self.checks().items() if said != WELL}

    def checks(self) -> dict[str, str]:
        """Each thing that was looked at: `ok`, or what is wrong."""
        log = self._log.fault()
        checks = {"log": WELL if log is None else log}
        if self._places is not None:
            checks["model"] = self._model_check(self._places)
            checks["key"] = self._key_check(self._places)
            checks["api_keys"] = self._key_file_check(self._places, log is None)
            if log is None:
                checks["checkpoints"] = self._checkpoint_check(self._places)
        return checks

    def _model_check(self, places: Places) -> str:
        """The model in use is worked with from memory; without its file the answers could not be explained later."""
        folder = self._released.folder
        files = (folder / MODEL_FILE, folder / SIGNATURE_FILE, places.keys / RELEASE_PUBLIC_KEY)
        state = tuple(map(_state, files))
        if state != self._model_state:
            try:
                found = load_released(folder, places.keys)
                self._model = WELL if found.sha256 == self._released.sha256 else "another model lies in its place"
            except ArtefactError as error:
                logger().error("model_not_in_order", error=str(error))
                self._model = _without_path(str(error), (*files, folder))
            self._model_state = state
        return self._model

    def _key_check(self, places: Places) -> str:
        try:
            with places.log_key.open("rb") as file:
                file.read(1)
        except OSError as error:
            return f"{places.log_key.name}: {error.strerror}; restore it from your backup"
        return WELL

    def _key_file_check(self, places: Places, log_is_well: bool) -> str:
        """Workers go on with the keys they read last; then a key that is made or revoked meanwhile is not followed.

        One that starts while the file is gone knows none: that there were keys, only the log can tell it.
        """
        path = places.keys / KEY_FILE
        state = _state(path), log_is_well
        if state != self._key_file_state:
            self._key_file_state = state
            try:
                found = read_keys(places.keys)
                gone = not path.exists() and (self._had_keys or (log_is_well and keys_were_made(self._log)))
                self._had_keys = self._had_keys or bool(found)
                self._key_file = f"{KEY_FILE}: is gone; restore it from your backup" if gone else WELL
            except KeyFileError:
                self._key_file = f"{KEY_FILE}: not a key file; restore it from your backup"
            except OSError as error:
                self._key_file = f"{KEY_FILE}: {error.strerror}"
                self._key_file_state = None
            except (SQLAlchemyError, LogError):  # it went away in between: `log` says so next time
                self._key_file_state = None
        return self._key_file

    def _checkpoint_check(self, places: Places) -> str:
        before, newest = None, ""
        try:
            before = published(places.checkpoints)  # first, for the log may go on and be published meanwhile
            newest = self._log.latest_checkpoint()
            if before not in (None, newest):
                check_succession(read_unverified(str(before)), self._log.verifier_key.open(newest))
        except PublishError as error:  # it will not come right by itself
            return str(error)
        except (OSError, CheckpointError):
            before = None
        # Under load the log is always a little ahead of what was published: what counts is that more is published.
        went_on = before is not None and before != self._published
        self._published = before
        if went_on or before == newest:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = time.monotonic()
        elif time.monotonic() - self._behind_since > BEHIND_SECONDS:
            return f"not published for more than {BEHIND_SECONDS:.0f} s; see the service's log"
        return WELL


def _without_path(said: str, places: Sequence[Path]) -> str:
    """What is wrong with a file, by its name: anybody may read this, and where files lie is no business of theirs."""
    for place in places:
        if said.startswith(f"{place}: "):
            return f"{place.name}: {said.removeprefix(f'{place}: ')}"
    return "cannot be trusted; see the service's log"


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
