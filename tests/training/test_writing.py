"""What a run leaves appears together: no model beside the estimators or the card of another run."""

from __future__ import annotations

import json
from pathlib import Path

import joblib
import numpy as np
import pytest

from model.artefact import MODEL_FILE, digest
from tests.training.conftest import Run
from training.compare.against import AGAINST_FILE
from training.release.archive import ESTIMATORS_FILE
from training.report_page.write import CARD_FILES, JSON_FILE
from training.writing import write_trained

COMPARED = {
    "cases": 240,
    "same_data": True,
    "released_version": "old-1",
    "released_log_loss": 0.1,
    "log_loss_difference": {"value": -0.0012, "low": -0.002, "high": 0.0004},
}
WRITTEN = {MODEL_FILE, ESTIMATORS_FILE, *CARD_FILES}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_writing_makes_a_new_folder_with_all_files_and_nothing_beside_it(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "out"
    write_trained(run.trained, folder, COMPARED)
    assert (folder / MODEL_FILE).read_bytes() == run.trained.data
    assert names(folder) == {*WRITTEN, AGAINST_FILE}
    assert json.loads((folder / JSON_FILE).read_bytes())["against"]["released_version"] == "old-1"
    assert list(folder.parent.iterdir()) == [folder]
    kept = joblib.load(folder / ESTIMATORS_FILE)
    np.testing.assert_array_equal(
        kept.decision_function(run.cases.X), run.trained.estimators.decision_function(run.cases.X)
    )


def test_writing_replaces_an_older_run_and_leaves_other_files_alone(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    for name in (*WRITTEN, AGAINST_FILE):
        (folder / name).write_text("old")
    write_trained(run.trained, folder)
    assert (folder / MODEL_FILE).read_bytes() == run.trained.data
    assert joblib.load(folder / ESTIMATORS_FILE).weights_ == run.trained.estimators.weights_
    assert json.loads((folder / JSON_FILE).read_bytes())["sha256"] == digest(run.trained.data)
    assert (folder / "notes.txt").read_text() == "mine"
    assert names(folder) == {"notes.txt", *WRITTEN}, "what was found about the older model goes with it"
    assert list(tmp_path.iterdir()) == [folder]


def test_the_current_folder_can_be_written_to(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.csv").write_text("mine")
    monkeypatch.chdir(tmp_path)
    write_trained(run.trained, Path())
    assert names(tmp_path) == {"data.csv", *WRITTEN}


@pytest.mark.parametrize("existed", [True, False])
@pytest.mark.parametrize("failing", ["training.writing.card_files", "pathlib.Path.write_bytes", "joblib.dump"])
def test_where_one_file_cannot_be_made_everything_stays_as_it_was(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existed: bool, failing: str
) -> None:
    folder = tmp_path / "out"
    if existed:
        folder.mkdir()
        for name in WRITTEN:
            (folder / name).write_text("old")
    before = sorted(tmp_path.rglob("*"))

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(failing, interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_trained(run.trained, folder)
    assert sorted(tmp_path.rglob("*")) == before
    assert not existed or {(folder / name).read_text() for name in WRITTEN} == {"old"}


@pytest.mark.parametrize("last", sorted(WRITTEN))
def test_a_write_interrupted_between_two_files_leaves_no_model(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for name in WRITTEN:
        (folder / name).write_text("old")
    replace = Path.replace

    def until_then(self: Path, target: Path) -> Path:
        if target.name == last:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", until_then)
    with pytest.raises(KeyboardInterrupt):
        write_trained(run.trained, folder)
    assert MODEL_FILE not in names(folder)
    assert all(path.read_bytes() != b"old" for path in folder.iterdir())
