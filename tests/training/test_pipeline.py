"""A run gives the same bytes for the same input, and what it writes is what the estimators say."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

from model.account.measured import MEASURES
from model.artefact import MODEL_FILE, read_model
from model.case import Case
from model.explanation import explain
from model.tokens import read_token
from tests.training.conftest import Run
from training.fit.calibrate import Recalibration
from training.pipeline import ESTIMATORS_FILE, estimators_margin, write_trained

ROWS = 400


def test_the_same_input_and_seed_give_the_same_bytes_whatever_the_jobs(run: Run) -> None:
    assert run.again(jobs=2).data == run.trained.data


def test_plain_python_on_the_artefact_equals_the_fitted_estimators(run: Run) -> None:
    """Cells read as the service's batch reads them, scored case by case, against scikit-learn on the encoded rows."""
    model = read_model(run.trained.data)
    rows = pd.read_csv(run.path, dtype=str, keep_default_na=False)[:ROWS]
    features = model.dictionary.features
    margins = [
        explain(model, Case.of(model.dictionary, {f.name: read_token(f, row[f.name]) for f in features})).margin
        for row in rows.to_dict("records")
    ]
    calibration = run.trained.facts["training"]["calibration"]
    applied = Recalibration(**{key: np.nan if value is None else value for key, value in calibration.items()})
    expected = estimators_margin(run.trained.estimators, applied, run.cases.X[:ROWS])
    np.testing.assert_allclose(margins, expected, rtol=0, atol=1e-9)
    assert np.ptp(margins) > 1


def test_the_facts_say_what_was_fitted_and_judged(run: Run) -> None:
    model = read_model(run.trained.data)
    training, evaluation = model.facts["training"], model.facts["evaluation"]
    assert (training["rows"], training["families"]) == (1200, 600)
    assert training["events"] == run.cases.y.sum()
    assert sum(training["learners"].values()) == pytest.approx(1)
    assert training["compile_difference"] < 1e-9
    assert training["shap"]["largest_difference"] < 1e-6
    assert evaluation["held_out_families"] == 120
    assert set(evaluation) >= {"grounds", "logistic regression", "unconstrained gradient boosting"}
    for measure in MEASURES:
        figure = evaluation["grounds"][measure]
        assert figure["low"] <= figure["value"] <= figure["high"]
    threshold = model.facts["threshold"]
    assert threshold["share_prompted"] <= threshold["capacity"] == 0.05
    assert model.synthetic


def test_what_the_data_know_the_model_finds(run: Run) -> None:
    auc = run.trained.facts["evaluation"]["grounds"]["auc"]
    assert auc["low"] > 0.5
    assert auc["value"] > 0.6
    terms = {term.feature.name: term for term in read_model(run.trained.data).terms}
    assert terms["history"].values[1] > terms["history"].values[0]
    assert list(terms["concern"].values) == sorted(terms["concern"].values)
    assert list(terms["visits"].values) == sorted(terms["visits"].values, reverse=True)


def test_writing_makes_a_new_folder_with_both_files_and_nothing_beside_it(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "out"
    write_trained(run.trained, folder)
    assert (folder / MODEL_FILE).read_bytes() == run.trained.data
    assert sorted(path.name for path in folder.iterdir()) == sorted([MODEL_FILE, ESTIMATORS_FILE])
    assert list(folder.parent.iterdir()) == [folder]
    kept = joblib.load(folder / ESTIMATORS_FILE)
    np.testing.assert_array_equal(
        kept.decision_function(run.cases.X), run.trained.estimators.decision_function(run.cases.X)
    )


def test_writing_replaces_an_older_run_and_leaves_other_files_alone(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / MODEL_FILE).write_text("old")
    (folder / ESTIMATORS_FILE).write_text("old")
    write_trained(run.trained, folder)
    assert (folder / MODEL_FILE).read_bytes() == run.trained.data
    assert joblib.load(folder / ESTIMATORS_FILE).weights_ == run.trained.estimators.weights_
    assert (folder / "notes.txt").read_text() == "mine"
    assert {path.name for path in folder.iterdir()} == {"notes.txt", MODEL_FILE, ESTIMATORS_FILE}
    assert list(tmp_path.iterdir()) == [folder]


def test_the_current_folder_can_be_written_to(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.csv").write_text("mine")
    monkeypatch.chdir(tmp_path)
    write_trained(run.trained, Path())
    assert {path.name for path in tmp_path.iterdir()} == {"data.csv", MODEL_FILE, ESTIMATORS_FILE}


@pytest.mark.parametrize("existed", [True, False])
def test_an_interrupted_write_leaves_everything_as_it_was(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existed: bool
) -> None:
    folder = tmp_path / "out"
    if existed:
        folder.mkdir()
        (folder / MODEL_FILE).write_text("old")
    before = sorted(tmp_path.rglob("*"))

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_trained(run.trained, folder)
    assert sorted(tmp_path.rglob("*")) == before
    assert not existed or (folder / MODEL_FILE).read_text() == "old"


def test_a_write_interrupted_at_the_last_step_leaves_no_model_beside_foreign_estimators(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / MODEL_FILE).write_text("old")
    replace = Path.replace

    def all_but_the_model(self: Path, target: Path) -> Path:
        if target.name == MODEL_FILE:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", all_but_the_model)
    with pytest.raises(KeyboardInterrupt):
        write_trained(run.trained, folder)
    assert [path.name for path in folder.iterdir()] == [ESTIMATORS_FILE]
