"""The model that answered: what is shown of a record later speaks by its model, and never by the one now in use."""

from __future__ import annotations

from pathlib import Path

from service.errors import problem
from service.model_files import ReleasedModel
from service.replay.archive import ModelArchive, NoModel
from service.replay.source import ReplayError
from service.running.telemetry import logger

_GONE = (
    "The model that this record names is not in the archive, or not to be trusted. "
    "GET /v1/screenings/<screening_id> shows the record itself."
)


class AnsweringModels:
    """Released models by the digest that a record names. Safe to share between threads."""

    def __init__(self, live: ReleasedModel, keys: Path | None) -> None:
        """`keys` is the folder of the release key's public half; with None only the model in use is known."""
        self._live, self._keys = live, keys

    def archive(self) -> ModelArchive:
        """The archive that the live model lies in, as it is now: releases are added while a service runs.

        Raises `ReplayError` where there is none.
        """
        if self._keys is None:
            raise ReplayError("no folder of keys is named, so no released model can be trusted")
        return ModelArchive(self._live.folder.parent, self._keys)

    def find(self, sha256: str) -> ReleasedModel | None:
        """The model whose file has that digest; None where it is not there or must not be trusted."""
        if sha256 == self._live.sha256:
            return self._live
        try:
            return self.archive().find(sha256).released
        except (NoModel, ReplayError) as error:
            logger().error("released_model_unreadable", error=str(error))
            return None

    def needed(self, sha256: str) -> ReleasedModel:
        """As `find`, for what cannot be shown without. Raises `Problem` 500."""
        found = self.find(sha256)
        if found is None:
            raise problem("model_unreadable", detail=_GONE)
        return found
