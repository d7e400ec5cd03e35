"""Gates of a new model beside the one that is active, which it is about to replace."""

from __future__ import annotations

from pathlib import Path

from model.additive import AdditiveModel
from model.artefact import MODEL_FILE, read_model
from model.overrides import OVERRIDABLE
from training.compare.against import comparable, read_against, same_tables
from training.compare.asked import same_questions, shared_features
from training.release.gate import Gate
from training.release.released import active_folder, active_version

ROOM = 0.02
"""Share of the released model's log loss by which the new one may be worse: our own choice, about what a table gains on
the cases that it was fitted on."""
NO_WORSE, NOT_SYNTHETIC = OVERRIDABLE["no_worse_than_released"], OVERRIDABLE["no_synthetic_in_place_of_real"]
LIMIT = f"lower end of log loss difference <= {ROOM:.0%} of its log loss"
SYNTHETIC_LIMIT = "synthetic only where the active model is"


def active_gates(trained: Path, data: bytes, models: Path) -> list[Gate]:
    """The gates of the model with file `data` in `trained`; none where no model is active. Raises `ArtefactError`."""
    version, folder = active_version(models), active_folder(models)
    if version is None or folder is None:
        return []
    new = read_model(data)
    if new.version == version:
        said = "it is the active version"
        return [Gate(NO_WORSE, said, LIMIT, True), Gate(NOT_SYNTHETIC, said, SYNTHETIC_LIMIT, True)]
    path = folder / MODEL_FILE
    try:
        released = path.read_bytes()
        old = read_model(released, str(path))
    except (OSError, ValueError):  # said in the gates' lines; what is broken must not stop what replaces it
        said = f"not measured: {version} cannot be read"
        return [Gate(NO_WORSE, said, LIMIT, False), Gate(NOT_SYNTHETIC, said, SYNTHETIC_LIMIT, not new.synthetic)]
    return [_no_worse(trained, data, new, released, old), _not_synthetic(new, old)]


def _no_worse(trained: Path, data: bytes, new: AdditiveModel, released: bytes, old: AdditiveModel) -> Gate:
    same = same_questions(old.dictionary, new.dictionary)
    if same and same_tables(old, new):
        return Gate(NO_WORSE, "the same tables", LIMIT, True)
    if not comparable(old, new):
        said = f"{old.version} has another outcome, or shares no feature"
        if old.synthetic and not new.synthetic:  # the model that ships shows how Grounds works, and is no standard
            return Gate(NO_WORSE, f"not compared: {said}, and is synthetic", LIMIT, True)
        return Gate(NO_WORSE, f"not measured: {said}", LIMIT, False)
    found = read_against(trained, data, released)
    if found is None:
        return Gate(NO_WORSE, f"not measured against {old.version}: train --against", LIMIT, False)
    said = f"{found['value']:+.5f} ({found['low']:+.5f} to {found['high']:+.5f})"
    if not same:
        shared, asked = len(shared_features(old.dictionary, new.dictionary)), len(old.dictionary.features)
        said += f"; {shared} of the {asked} features of {old.version} were asked"
    return Gate(NO_WORSE, said, LIMIT, found["low"] <= ROOM * found["released"])


def _not_synthetic(new: AdditiveModel, old: AdditiveModel) -> Gate:
    said = f"{_origin(new)} in place of {_origin(old)} ({old.version})"
    return Gate(NOT_SYNTHETIC, said, SYNTHETIC_LIMIT, old.synthetic or not new.synthetic)


def _origin(model: AdditiveModel) -> str:
    return "synthetic" if model.synthetic else "real"
