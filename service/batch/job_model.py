"""The model of a job: the one in use or another that was released, or one that nobody has released, and marked so.

A data scientist screens a file by a model before its release; the output must never pass for that of a released one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from model.additive import AdditiveModel
from model.artefact import MODEL_FILE, SIGNATURE_FILE, ArtefactError, digest, read_model
from service.model_files import ReleasedModel, load_active, load_released


@dataclass(frozen=True, slots=True)
class JobModel:
    """A model and the bytes of its file; `released` is None for one that nobody signed, `active` says it is in use."""

    model: AdditiveModel
    data: bytes
    released: ReleasedModel | None
    active: bool = False

    @property
    def name(self) -> str:
        """What the rows and the report call it: a version is the name of a released model alone."""
        return self.model.version if self.released else f"not-released-{digest(self.data)[:12]}"

    def entry(self) -> dict[str, object]:
        """What the log keeps of it."""
        released = self.released
        signed = {"release_key": released.key_id} if released else {}
        lifted = [override.gate for override in released.overrides] if released else []
        return {
            "version": self.model.version,
            "sha256": digest(self.data),
            "synthetic": self.model.synthetic,
            "released": released is not None,
            **signed,
            **({"gates_overridden": lifted} if lifted else {}),
        }


def active_model(models: Path, keys: Path) -> JobModel:
    """The model in use. Raises `ArtefactError`."""
    return replace(job_model(load_active(models, keys).folder, keys), active=True)


def job_model(folder: Path, keys: Path) -> JobModel:
    """The model in a folder. One with a signature must fit it. Raises `ArtefactError`."""
    path = folder / MODEL_FILE
    released = load_released(folder, keys) if (folder / SIGNATURE_FILE).exists() else None
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read: {error.strerror}") from None
    if released is None:
        return JobModel(read_model(data, str(path)), data, None)
    if digest(data) != released.sha256:
        raise ArtefactError(f"{path}: was changed while it was read; run the job again")
    return JobModel(released.model, data, released)
