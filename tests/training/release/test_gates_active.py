"""Gates of a new model beside the active one: what was not compared has not passed, whatever the dictionaries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from model.artefact import MODEL_FILE, read_model
from model.overrides import OVERRIDABLE
from service.model_files import load_active
from tests.training.compare.test_against import judge
from tests.training.conftest import Run
from tests.training.release.test_story import changed
from training.__main__ import main
from training.compare.against import AGAINST_FILE, against_facts
from training.release.gates_active import active_gates
from training.release.story import AskedOverrides, Gate, ReleaseError, release

NO_WORSE, NOT_SYNTHETIC = "no_worse_than_released", "no_synthetic_in_place_of_real"


def gate_of(later: Path, tmp_path: Path, code: str = NO_WORSE) -> Gate:
    found = active_gates(later, (later / MODEL_FILE).read_bytes(), tmp_path / "models")
    return next(gate for gate in found if gate.name == OVERRIDABLE[code])


def dictionary_changed(later: Path, change: dict[str, Any], drop: str = "") -> None:
    """Changes the outcome, or takes a feature out, in the dictionary and in the terms."""
    content = json.loads((later / MODEL_FILE).read_bytes())
    content["dictionary"]["outcome"] |= change
    content["dictionary"]["feature"] = [f for f in content["dictionary"]["feature"] if f["name"] != drop]
    content["terms"] = [term for term in content["terms"] if term["feature"] != drop]
    assert not content["pairs"]
    (later / MODEL_FILE).write_text(json.dumps(content))


def test_there_is_no_gate_before_the_first_release(trained: Path, tmp_path: Path) -> None:
    assert active_gates(trained, (trained / MODEL_FILE).read_bytes(), tmp_path / "models") == []


def test_a_model_not_judged_beside_the_released_one_is_not_released(later: Path, tmp_path: Path) -> None:
    assert "not measured" in gate_of(later, tmp_path).figure
    with pytest.raises(ReleaseError, match="no worse than the released model"):
        release(later, tmp_path / "models", tmp_path / "keys", lambda gates: None)


@pytest.mark.parametrize(("shift", "passed"), [(0.01, True), (3.0, False)])
def test_the_gate_fails_where_the_loss_is_higher_beyond_doubt(
    run: Run,
    later: Path,
    tmp_path: Path,
    shift: float,
    passed: bool,
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


@pytest.mark.parametrize(("shift", "passed"), [(0.0, True), (3.0, False)])
def test_another_dictionary_is_judged_on_what_both_ask(
    run: Run,
    later: Path,
    tmp_path: Path,
    shift: float,
    passed: bool,
) -> None:
    dictionary_changed(later, {}, drop="source")
    changed(later, {"intercept": read_model(run.trained.data).intercept + shift, "training.data_sha256": "other"})
    assert gate_of(later, tmp_path).figure.startswith("not measured against")
    held = run.trained.held_out
    found = against_facts(
        tmp_path / "models",
        data=(later / MODEL_FILE).read_bytes(),
        X=run.cases.X[held][:, :5],  # without source, the last
        y=run.cases.y[held],
        groups=run.cases.groups[held],
        margin=run.trained.held_out_margin + shift,
        seed=1,
    )
    (later / AGAINST_FILE).write_text(json.dumps(found))
    gate = gate_of(later, tmp_path)
    assert gate.passed is passed
    assert "5 of the 6 features" in gate.figure


def test_another_outcome_cannot_be_compared_and_has_to_be_lifted(run: Run, later: Path, tmp_path: Path) -> None:
    dictionary_changed(later, {"column": "another"})
    gate = gate_of(later, tmp_path)
    assert (gate.passed, gate.figure[:12]) == (False, "not measured")
    changed(later, {"synthetic": False})
    gate = gate_of(later, tmp_path)
    assert (gate.passed, gate.figure[:12]) == (True, "not compared"), "a synthetic model is no standard for a real one"
    changed(later, {"synthetic": True})
    asked = AskedOverrides((NO_WORSE,), "governance_decision", "data_scientist")
    release(later, tmp_path / "models", tmp_path / "keys", lambda gates: None, asked)
    assert load_active(tmp_path / "models", tmp_path / "keys").overrides[0].gate == NO_WORSE


def test_a_broken_active_model_has_been_compared_with_nothing(later: Path, tmp_path: Path) -> None:
    next((tmp_path / "models").glob(f"*/{MODEL_FILE}")).write_bytes(b"altered")
    assert not gate_of(later, tmp_path).passed
    assert not gate_of(later, tmp_path, NOT_SYNTHETIC).passed
    changed(later, {"synthetic": False})
    assert gate_of(later, tmp_path, NOT_SYNTHETIC).passed


def test_a_synthetic_model_takes_no_real_ones_place_but_for_a_demonstration(
    run: Run, later: Path, tmp_path: Path
) -> None:
    assert gate_of(later, tmp_path, NOT_SYNTHETIC).passed, "both are synthetic"
    changed(later, {"version": "real-1", "synthetic": False, "anonymity": {"why": "nothing is marked"}})
    changed(later, {"fairness": {"judged": False, "why": "nobody is watched"}})
    judge(run, later, tmp_path / "models")
    release(later, tmp_path / "models", tmp_path / "keys", lambda gates: None)
    changed(later, {"version": "made-up-1", "synthetic": True, "intercept": 9.0})
    judge(run, later, tmp_path / "models")
    gate = gate_of(later, tmp_path, NOT_SYNTHETIC)
    assert (gate.passed, gate.figure) == (False, "synthetic in place of real (real-1)")
    codes = (NOT_SYNTHETIC,)
    with pytest.raises(ReleaseError, match="for demonstration_only alone"):
        asked = AskedOverrides(codes, "silent_pilot", "data_scientist")
        release(later, tmp_path / "models", tmp_path / "keys", lambda gates: None, asked)
    assert load_active(tmp_path / "models", tmp_path / "keys").model.version == "real-1"
    into = ["--models", str(tmp_path / "models"), "--keys", str(tmp_path / "keys")]
    lifted = ["--override", NOT_SYNTHETIC, "--override", NO_WORSE]
    said = ["--reason", "demonstration_only", "--by", "data_scientist"]
    done = CliRunner().invoke(main, ["release", str(later), *into, *lifted, *said])
    assert done.exit_code == 0, done.output
    assert "must not be used about a real child" in done.stderr
    assert load_active(tmp_path / "models", tmp_path / "keys").model.version == "made-up-1"
