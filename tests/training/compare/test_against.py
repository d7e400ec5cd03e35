"""The new model beside the released one, on the same held-out cases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings

from model.additive import AdditiveModel
from model.artefact import MODEL_FILE, read_model
from tests.builders import models
from tests.training.conftest import Run
from tests.training.release.test_story import changed
from training.compare.against import (
    AGAINST_FILE,
    against_facts,
    against_file,
    log_loss_difference,
    losses,
    margins,
    same_tables,
)


def judge(run: Run, later: Path, models: Path) -> dict[str, float]:
    """Judges the model in `later` beside the active one and writes what a training run would; the difference."""
    held = run.trained.held_out
    found = against_facts(
        models,
        data=(later / MODEL_FILE).read_bytes(),
        X=run.cases.X[held],
        y=run.cases.y[held],
        groups=run.cases.groups[held],
        margin=run.trained.held_out_margin,
        seed=1,
    )
    assert found is not None
    (later / AGAINST_FILE).write_bytes(against_file(found))
    return dict(found["log_loss_difference"])


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


def test_with_the_same_data_both_are_taken_as_released(run: Run, later: Path, tmp_path: Path) -> None:
    old, held = read_model(run.trained.data), run.trained.held_out
    new = read_model((later / MODEL_FILE).read_bytes())
    X, y = run.cases.X[held], run.cases.y[held]
    expected = losses(y, margins(new, X)).mean() - losses(y, margins(old, X)).mean()
    assert judge(run, later, tmp_path / "models")["value"] == pytest.approx(expected, abs=1e-8)


@settings(max_examples=40)  # most of the time goes into drawing a model
@given(models(pairs=4))
def test_models_that_differ_in_a_pair_are_not_the_same(model: AdditiveModel) -> None:
    assert same_tables(model, replace(model, version="later"))
    assume(model.pairs)
    first, *others = model.pairs
    (value, *row), *rows = first.values
    moved = replace(first, values=((value + 0.5, *row), *rows))
    assert not same_tables(model, replace(model, pairs=(moved, *others)))
    assert not same_tables(model, replace(model, pairs=tuple(others)))
