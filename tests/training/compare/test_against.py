"""The new model beside the released one, on cases that neither this test nor the gate may confuse."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given

from model.additive import AdditiveModel
from model.artefact import MODEL_FILE, read_model
from tests.builders import models
from tests.training.conftest import Run
from tests.training.release.test_story import changed
from training.compare.against import (
    AGAINST_FILE,
    against_gate,
    log_loss_difference,
    losses,
    margins,
    same_tables,
    write_against,
)
from training.pipeline import write_trained
from training.release.story import Gate, ReleaseError, release


@pytest.fixture
def trained(run: Run, tmp_path: Path) -> Path:
    folder = tmp_path / "trained"
    write_trained(run.trained, folder)
    return folder


@pytest.fixture
def later(trained: Path, tmp_path: Path) -> Path:
    """Another model than the released one, which scores otherwise."""
    release(trained, tmp_path / "models", tmp_path / "keys", lambda gates: None)
    content = json.loads((trained / MODEL_FILE).read_bytes())
    changed(trained, {"version": "later-1", "intercept": content["intercept"] + 0.01})
    return trained


def judge(run: Run, later: Path, models: Path) -> dict[str, float]:
    held = run.trained.held_out
    found = write_against(
        later,
        models,
        data=(later / MODEL_FILE).read_bytes(),
        X=run.cases.X[held],
        y=run.cases.y[held],
        groups=run.cases.groups[held],
        margin=run.trained.held_out_margin,
        seed=1,
    )
    assert found is not None
    return dict(found["log_loss_difference"])


def gate_of(later: Path, tmp_path: Path) -> Gate:
    gate = against_gate(later, (later / MODEL_FILE).read_bytes(), tmp_path / "models")
    assert gate is not None
    return gate


def test_the_difference_is_that_of_the_cases_themselves(run: Run, later: Path, tmp_path: Path) -> None:
    held = run.trained.held_out
    old = margins(read_model(run.trained.data), run.cases.X[held])
    y = run.cases.y[held]
    changed(later, {"training.data_sha256": "other data"})
    expected = losses(y, run.trained.held_out_margin).mean() - losses(y, old).mean()
    found = judge(run, later, tmp_path / "models")
    assert found["value"] == pytest.approx(expected, abs=1e-8)
    assert found["low"] < found["value"] < found["high"]


def test_families_are_drawn_whole_so_copies_of_siblings_add_no_certainty() -> None:
    rng = np.random.default_rng(0)
    y, new, old = (rng.random(60) < 0.3).astype(np.int8), rng.normal(size=60), rng.normal(size=60)
    once = log_loss_difference(new, old, y, np.arange(60), 3)
    twice = log_loss_difference(np.tile(new, 2), np.tile(old, 2), np.tile(y, 2), np.tile(np.arange(60), 2), 3)
    assert once == twice


def test_a_model_not_judged_beside_the_released_one_is_not_released(later: Path, tmp_path: Path) -> None:
    assert "not measured" in gate_of(later, tmp_path).figure
    with pytest.raises(ReleaseError, match="no worse than the released model"):
        release(later, tmp_path / "models", tmp_path / "keys", lambda gates: None)


def test_with_the_same_data_both_are_taken_as_released(run: Run, later: Path, tmp_path: Path) -> None:
    old, held = read_model(run.trained.data), run.trained.held_out
    new = read_model((later / MODEL_FILE).read_bytes())
    X, y = run.cases.X[held], run.cases.y[held]
    expected = losses(y, margins(new, X)).mean() - losses(y, margins(old, X)).mean()
    assert judge(run, later, tmp_path / "models")["value"] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(("shift", "passed"), [(0.01, True), (3.0, False)])
def test_the_gate_fails_where_the_loss_is_higher_beyond_doubt(
    run: Run, later: Path, tmp_path: Path, shift: float, passed: bool
) -> None:
    changed(later, {"intercept": read_model(run.trained.data).intercept + shift})
    judge(run, later, tmp_path / "models")
    assert gate_of(later, tmp_path).passed is passed


def test_figures_of_other_models_do_not_count(run: Run, later: Path, tmp_path: Path) -> None:
    judge(run, later, tmp_path / "models")
    said = json.loads((later / AGAINST_FILE).read_bytes())
    for key in ("model_sha256", "released_sha256"):
        (later / AGAINST_FILE).write_text(json.dumps({**said, key: "0" * 64}))
        assert "not measured" in gate_of(later, tmp_path).figure
    (later / AGAINST_FILE).write_bytes(b"[]")
    assert not gate_of(later, tmp_path).passed


def test_there_is_no_gate_before_the_first_release(trained: Path, tmp_path: Path) -> None:
    assert against_gate(trained, (trained / MODEL_FILE).read_bytes(), tmp_path / "models") is None


def test_a_model_of_another_dictionary_cannot_be_compared_and_says_so(later: Path, tmp_path: Path) -> None:
    content = json.loads((later / MODEL_FILE).read_bytes())
    content["dictionary"]["outcome"]["column"] = "another"
    (later / MODEL_FILE).write_text(json.dumps(content))
    gate = gate_of(later, tmp_path)
    assert (gate.passed, gate.figure) == (True, "the released model has another dictionary")


@given(models(pairs=4))
def test_models_that_differ_in_a_pair_are_not_the_same(model: AdditiveModel) -> None:
    assert same_tables(model, replace(model, version="later"))
    assume(model.pairs)
    first, *others = model.pairs
    (value, *row), *rows = first.values
    moved = replace(first, values=((value + 0.5, *row), *rows))
    assert not same_tables(model, replace(model, pairs=(moved, *others)))
    assert not same_tables(model, replace(model, pairs=tuple(others)))
