"""What a training run leaves: the model, its estimators, its card, and how it stands beside the active one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib

from model.artefact import MODEL_FILE, digest, read_model
from training.compare.against import AGAINST_FILE, against_file
from training.pipeline import Trained
from training.release.archive import ESTIMATORS_FILE
from training.report_page.write import CARD_FILES, card_files


def write_trained(trained: Trained, folder: Path, against: Mapping[str, Any] | None = None) -> None:
    """Writes model.json, the data scientist's copy of the estimators, the card, and `against` where there is any.

    All of it is made before anything of an older run is touched. A new folder appears whole or not at all. In an older
    one model.json goes first and comes back last, so that it never stands beside the estimators or the card of another
    run; files that are not ours are left alone.
    """
    folder = folder.resolve()
    existed = folder.exists()
    fresh = (folder if existed else folder.parent) / f".{folder.name}.{os.getpid()}"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        for name, content in card_files(read_model(trained.data), digest(trained.data), against=against).items():
            (fresh / name).write_bytes(content)
        if against is not None:
            (fresh / AGAINST_FILE).write_bytes(against_file(against))
        joblib.dump(trained.estimators, fresh / ESTIMATORS_FILE, compress=3)
        (fresh / MODEL_FILE).write_bytes(trained.data)
        if existed:
            for name in (MODEL_FILE, AGAINST_FILE, *CARD_FILES, ESTIMATORS_FILE):
                (folder / name).unlink(missing_ok=True)
            for path in sorted(fresh.iterdir(), key=lambda path: path.name == MODEL_FILE):
                path.replace(folder / path.name)
        else:
            fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
