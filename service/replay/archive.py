"""The archive of released models, found by the digest that each entry names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from model.artefact import MODEL_FILE, ArtefactError, digest
from model.dictionary import DictionaryError
from model.wording import WordsError
from service.model_files import ReleasedModel, load_released
from service.replay.source import ReplayError
from service.screening.answer import AnswerWriter

_KEPT = 8
"""Models kept in memory. A log goes through them in order of release, so few are in use at a time."""


class NoModel(Exception):
    """The model of an entry is not in the archive, or must not be trusted; one line."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A model out of the archive, and what writes its answers."""

    released: ReleasedModel
    writer: AnswerWriter


class ModelArchive:
    """Released models in a folder: `<version>/model.json` with its signature beside it."""

    def __init__(self, models: Path, keys: Path) -> None:
        """`keys` holds the release key's public half. Raises `ReplayError` where there is no such folder."""
        if not models.is_dir():
            raise ReplayError(f"{models}: no such folder; give the archive of released models with --models")
        self._keys = keys
        # Folders whose names begin with a dot are a release that was cut off.
        found = sorted(path for path in models.glob(f"*/{MODEL_FILE}") if not path.parent.name.startswith("."))
        self._folders = {digest(path.read_bytes()): path.parent for path in reversed(found)}
        self._ready: dict[str, Ready | str] = {}

    def find(self, sha256: str) -> Ready:
        """The model whose file has that digest (64 hexadecimal digits). Raises `NoModel`."""
        if sha256 not in self._ready:
            if len(self._ready) >= _KEPT:
                self._ready.pop(next(iter(self._ready)))
            self._ready[sha256] = self._load(sha256)
        found = self._ready[sha256]
        if isinstance(found, str):
            raise NoModel(found)
        return found

    def _load(self, sha256: str) -> Ready | str:
        if sha256 not in self._folders:
            return "its model is not in the archive"
        try:
            released = load_released(self._folders[sha256], self._keys)
        except (ArtefactError, DictionaryError, WordsError) as error:
            return f"its model is in the archive and cannot be used: {'; '.join(str(error).splitlines())}"
        if released.sha256 != sha256:
            return "its model changed in the archive while this ran; run it again"
        return Ready(released, AnswerWriter(released.model))
