"""A release is whole or not at all: gates first, then signature, and the pointer last."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from model.artefact import MODEL_FILE, SIGNATURE_FILE, ArtefactError, digest, read_model, write_model
from service.model_files import load_active
from tests.training.conftest import Run
from training.release.archive import ESTIMATORS_FILE, STATEMENT_FILE, load_estimators
from training.release.released import RELEASES
from training.release.story import ACTIVE, PRIVATE_KEY, PUBLIC_KEY, Gate, ReleaseError, gates, release
from training.report_page.write import CARD_FILES


def released(trained: Path, folder: Path) -> tuple[str, list[Gate]]:
    """Releases into `folder`; the version and the gates that were told."""
    told: list[Gate] = []
    version = release(trained, folder / "models", folder / "keys", told.extend)
    return version, told


def changed(trained: Path, change: dict[str, Any]) -> None:
    """Changes the facts in a model file, at keys separated by dots."""
    content = json.loads((trained / MODEL_FILE).read_bytes())
    for path, value in change.items():
        *outer, last = path.split(".")
        place = content
        for key in outer:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value
    (trained / MODEL_FILE).write_bytes(write_model(content))


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_release_activates_a_model_that_the_service_loads(trained: Path, tmp_path: Path, run: Run) -> None:
    version, told = released(trained, tmp_path)
    assert told and all(gate.passed for gate in told)
    active = load_active(tmp_path / "models", tmp_path / "keys")
    assert active.model.version == version == read_model(run.trained.data).version
    assert {path.name for path in (tmp_path / "models").iterdir()} == {ACTIVE, RELEASES, version}
    assert {path.name for path in (tmp_path / "models" / version).iterdir()} == {
        MODEL_FILE,
        SIGNATURE_FILE,
        *CARD_FILES,
    }
    assert stat.S_IMODE((tmp_path / "keys" / PRIVATE_KEY).stat().st_mode) == 0o600


def test_a_release_archives_the_estimators_where_no_service_looks(trained: Path, tmp_path: Path, run: Run) -> None:
    version, _ = released(trained, tmp_path)
    archived = tmp_path / "estimators" / version
    assert {path.name for path in archived.iterdir()} == {ESTIMATORS_FILE, STATEMENT_FILE}
    assert (archived / ESTIMATORS_FILE).read_bytes() == (trained / ESTIMATORS_FILE).read_bytes()
    kept = load_estimators(archived, digest(run.trained.data), tmp_path / "keys" / PUBLIC_KEY)
    np.testing.assert_array_equal(
        kept.estimator_margin(run.cases.X), run.trained.estimators.estimator_margin(run.cases.X)
    )
    release(trained, tmp_path / "models", tmp_path / "keys", lambda gates: None, estimators=tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / version / ESTIMATORS_FILE).exists()


def test_a_model_without_its_estimators_is_not_released(trained: Path, tmp_path: Path) -> None:
    (trained / ESTIMATORS_FILE).unlink()
    with pytest.raises(ReleaseError, match="no explanation could be judged again"):
        released(trained, tmp_path)
    assert not (tmp_path / "models").exists()
    assert not (tmp_path / "keys").exists()


def test_the_signature_holds_for_these_bytes_and_no_others(trained: Path, tmp_path: Path) -> None:
    version, _ = released(trained, tmp_path)
    model = tmp_path / "models" / version / MODEL_FILE
    model.write_bytes(model.read_bytes().replace(b'"intercept": -', b'"intercept": -1', 1))
    with pytest.raises(ArtefactError, match="signature does not fit"):
        load_active(tmp_path / "models", tmp_path / "keys")


FAILING = [
    ("training.shap.largest_difference", 1e-5, "contributions equal shap's"),
    ("training.compile_difference", 1e-8, "table equals the fitted estimators"),
    ("training.events", 99, "enough events"),
    ("evaluation.events", 99, "enough held-out events"),
    ("dictionary.group", None, "families named"),
    ("evaluation.difference.logistic regression.auc.low", -0.0201, "no worse than logistic regression"),
    ("evaluation.difference.logistic regression.auc", {"low": None}, "no worse than logistic regression"),
]


@pytest.mark.parametrize(("fact", "value", "gate"), FAILING)
def test_a_failed_gate_stops_it_and_changes_nothing(
    trained: Path, tmp_path: Path, fact: str, value: Any, gate: str
) -> None:
    released(trained, tmp_path)
    before = snapshot(tmp_path / "models") | snapshot(tmp_path / "keys")
    changed(trained, {fact: value, "version": "other-1"})
    told: list[Gate] = []
    with pytest.raises(ReleaseError, match=gate):
        release(trained, tmp_path / "models", tmp_path / "keys", told.extend)
    assert [line.name for line in told if not line.passed] == [gate]
    assert snapshot(tmp_path / "models") | snapshot(tmp_path / "keys") == before


def test_a_first_release_that_fails_makes_no_key_and_no_folder(trained: Path, tmp_path: Path) -> None:
    changed(trained, {"training.events": 1})
    with pytest.raises(ReleaseError):
        released(trained, tmp_path)
    assert not (tmp_path / "models").exists()
    assert not (tmp_path / "keys").exists()


def test_the_gates_are_at_their_limits_as_stated(trained: Path) -> None:
    changed(
        trained,
        {
            "training.shap.largest_difference": 1e-6,
            "training.compile_difference": 1e-9,
            "training.events": 100,
            "evaluation.events": 100,
            "evaluation.difference.logistic regression.auc.low": -0.02,
        },
    )
    found = gates(read_model((trained / MODEL_FILE).read_bytes()))
    assert [gate.name for gate in found if not gate.passed] == []
    assert len(found) == 10


def test_a_model_that_breaks_a_promise_is_refused(trained: Path, tmp_path: Path) -> None:
    content = json.loads((trained / MODEL_FILE).read_bytes())
    content["terms"][0]["not_known"] = content["terms"][0]["values"][0] - 1e-9
    (trained / MODEL_FILE).write_bytes(write_model(content))
    with pytest.raises(ArtefactError, match="not known scores below"):
        released(trained, tmp_path)
    assert not (tmp_path / "models").exists()


def test_a_second_release_of_the_same_model_changes_nothing(trained: Path, tmp_path: Path) -> None:
    first, _ = released(trained, tmp_path)
    before = snapshot(tmp_path)
    folder = tmp_path / "models" / first
    made = (folder / MODEL_FILE).stat().st_mtime_ns
    second, _ = released(trained, tmp_path)
    assert second == first
    assert snapshot(tmp_path) == before
    assert (folder / MODEL_FILE).stat().st_mtime_ns == made


def test_a_later_model_becomes_active_and_the_earlier_one_can_return(trained: Path, tmp_path: Path) -> None:
    first, _ = released(trained, tmp_path)
    changed(trained, {"version": "later-1"})
    assert released(trained, tmp_path)[0] == "later-1"
    assert load_active(tmp_path / "models", tmp_path / "keys").model.version == "later-1"
    changed(trained, {"version": first})
    assert released(trained, tmp_path)[0] == first
    assert load_active(tmp_path / "models", tmp_path / "keys").model.version == first
    assert {path.name for path in (tmp_path / "models").iterdir()} == {ACTIVE, RELEASES, first, "later-1"}


def test_releasing_again_mends_an_altered_file_and_signs_with_a_new_key(trained: Path, tmp_path: Path) -> None:
    version, _ = released(trained, tmp_path)
    (tmp_path / "models" / version / MODEL_FILE).write_bytes(b"altered")
    released(trained, tmp_path)
    old = load_active(tmp_path / "models", tmp_path / "keys").key_id
    (tmp_path / "keys" / PRIVATE_KEY).unlink()
    released(trained, tmp_path)
    assert load_active(tmp_path / "models", tmp_path / "keys").key_id != old


def test_files_that_somebody_put_beside_a_released_model_stay(trained: Path, tmp_path: Path) -> None:
    version, _ = released(trained, tmp_path)
    (tmp_path / "models" / version / "minutes.txt").write_text("mine")
    (tmp_path / "models" / version / MODEL_FILE).write_bytes(b"altered")
    released(trained, tmp_path)
    assert (tmp_path / "models" / version / "minutes.txt").read_text() == "mine"
    assert {path.name for path in (tmp_path / "models").iterdir()} == {ACTIVE, RELEASES, version}


def test_a_model_released_before_there_were_cards_gets_one_and_it_stays(trained: Path, tmp_path: Path) -> None:
    version, _ = released(trained, tmp_path)
    folder = tmp_path / "models" / version
    for name in CARD_FILES:
        (folder / name).unlink()
    released(trained, tmp_path)
    assert load_active(tmp_path / "models", tmp_path / "keys").model.version == version
    made = {name: (folder / name).read_bytes() for name in CARD_FILES}
    released(trained, tmp_path)
    assert {name: (folder / name).read_bytes() for name in CARD_FILES} == made


def test_a_lost_public_key_is_written_again(trained: Path, tmp_path: Path) -> None:
    released(trained, tmp_path)
    (tmp_path / "keys" / PUBLIC_KEY).unlink()
    released(trained, tmp_path)
    assert load_active(tmp_path / "models", tmp_path / "keys").model.terms


@pytest.mark.parametrize("kind", ["garbage", "RSA"])
def test_another_private_key_is_refused_and_left_alone(trained: Path, tmp_path: Path, kind: str) -> None:
    pem = b"garbage"
    if kind == "RSA":
        pem = rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / PRIVATE_KEY).write_bytes(pem)
    with pytest.raises(ReleaseError, match="not an Ed25519 private key"):
        released(trained, tmp_path)
    assert snapshot(tmp_path / "keys") == {PRIVATE_KEY: pem}
    assert not (tmp_path / "models" / ACTIVE).exists()


@pytest.mark.parametrize("version", ["../escape", "active", "", ".hidden", "a/b"])
def test_a_version_that_cannot_name_a_folder_is_refused(trained: Path, tmp_path: Path, version: str) -> None:
    changed(trained, {"version": version})
    with pytest.raises(ReleaseError, match="cannot name a folder"):
        released(trained, tmp_path)
    assert not (tmp_path / "models").exists()
    assert not (tmp_path / "escape").exists()


@pytest.mark.parametrize(
    "fact", ["training", "evaluation", "training.shap", "evaluation.difference", "evaluation.events"]
)
def test_a_model_that_says_too_little_of_its_making_is_refused(trained: Path, tmp_path: Path, fact: str) -> None:
    changed(trained, {fact: None})
    with pytest.raises(ReleaseError, match="does not say what the gates need"):
        released(trained, tmp_path)


def test_a_folder_without_a_model_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="run make train"):
        released(tmp_path / "nothing", tmp_path)


def test_an_interrupted_release_leaves_the_active_model_active(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = released(trained, tmp_path)
    before = snapshot(tmp_path / "models")
    changed(trained, {"version": "later-1"})

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.release.folder.os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        released(trained, tmp_path)
    assert snapshot(tmp_path / "models") == before
    assert load_active(tmp_path / "models", tmp_path / "keys").model.version == first
