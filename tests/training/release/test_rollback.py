"""Back to a version released before: only a signed one, and further back each time."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from model.artefact import MODEL_FILE, ArtefactError
from service.model_files import load_active
from tests.training.conftest import Run
from tests.training.release.test_story import changed, snapshot
from training.__main__ import main
from training.release.gates import ReleaseError
from training.release.released import RELEASES, released_versions
from training.release.rollback import rollback
from training.release.story import ACTIVE, release
from training.writing import write_trained


@pytest.fixture
def three(run: Run, tmp_path: Path) -> Path:
    """A folder into which first-1, second-1 and third-1 were released."""
    trained = tmp_path / "trained"
    write_trained(run.trained, trained)
    for version in ("first-1", "second-1", "third-1"):
        changed(trained, {"version": version})
        release(trained, tmp_path / "models", tmp_path / "keys", lambda gates: None)
    return tmp_path


def active(folder: Path) -> str:
    return load_active(folder / "models", folder / "keys").model.version


def test_each_rollback_goes_further_back_and_stops_at_the_first(three: Path) -> None:
    assert rollback(three / "models", three / "keys")[0] == "third-1"
    assert active(three) == "second-1"
    rollback(three / "models", three / "keys")
    assert active(three) == "first-1"
    with pytest.raises(ReleaseError, match=r"no version was released .* before first-1"):
        rollback(three / "models", three / "keys")
    assert active(three) == "first-1"


def test_what_was_left_by_a_rollback_is_not_come_back_to_from_a_later_release(three: Path) -> None:
    rollback(three / "models", three / "keys")  # third-1 is left, second-1 is active
    changed(three / "trained", {"version": "fourth-1"})
    release(three / "trained", three / "models", three / "keys", lambda gates: None)
    assert released_versions(three / "models") == ["first-1", "second-1", "third-1", "fourth-1"]
    for expected in ("second-1", "first-1"):
        rollback(three / "models", three / "keys")
        assert active(three) == expected
    rollback(three / "models", three / "keys", "third-1")  # by name it can be had
    assert active(three) == "third-1"


def test_a_named_version_becomes_active_and_the_order_of_releases_stays(three: Path) -> None:
    before = released_versions(three / "models")
    rollback(three / "models", three / "keys", "first-1")
    assert active(three) == "first-1"
    rollback(three / "models", three / "keys", "third-1")
    assert active(three) == "third-1"
    assert released_versions(three / "models") == before == ["first-1", "second-1", "third-1"]


@pytest.mark.parametrize("version", ["../keys", "fourth-1", ""])
def test_what_was_never_released_cannot_become_active(three: Path, version: str) -> None:
    before = snapshot(three / "models")
    with pytest.raises(ReleaseError, match="no released version of that name"):
        rollback(three / "models", three / "keys", version)
    assert snapshot(three / "models") == before


def test_an_altered_model_is_refused_and_nothing_moves(three: Path) -> None:
    path = three / "models" / "second-1" / MODEL_FILE
    path.write_bytes(path.read_bytes().replace(b'"intercept": -', b'"intercept": -1', 1))
    with pytest.raises(ArtefactError, match="signature does not fit"):
        rollback(three / "models", three / "keys")
    assert active(three) == "third-1"


def test_models_released_before_there_was_a_list_are_kept_in_order(run: Run, three: Path) -> None:
    (three / "models" / RELEASES).unlink()
    changed(three / "trained", {"version": "fourth-1"})
    release(three / "trained", three / "models", three / "keys", lambda gates: None)
    assert released_versions(three / "models") == ["third-1", "fourth-1"]


def test_from_the_command_line(three: Path) -> None:
    into = ["--models", str(three / "models"), "--keys", str(three / "keys")]
    done = CliRunner().invoke(main, ["rollback", *into])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0] == "left: third-1"
    assert "warning: the model was learned from synthetic cases" in done.stderr
    assert "active: second-1 (sha256 " in done.stdout
    assert (three / "models" / ACTIVE).read_text() == "second-1\n"


def test_without_an_active_model_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="run make release"):
        rollback(tmp_path, tmp_path)
