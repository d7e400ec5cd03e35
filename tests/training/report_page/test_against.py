"""The comparison with the model released before stands on the card where it was made for this model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model.artefact import ArtefactError, digest
from tests.training.conftest import Run
from training.compare.against import AGAINST_FILE
from training.report_page.write import HTML_FILE, JSON_FILE, MARKDOWN_FILE, write_card
from training.writing import write_trained

DIFFERENCE = {"value": -0.0012, "low": -0.002, "high": 0.0004}


def found(sha256: str, **more: Any) -> dict[str, Any]:
    said = {"format": 1, "model_sha256": sha256, "released_sha256": "1" * 64, "released_version": "old-1"}
    return {
        **said,
        "cases": 240,
        "same_data": False,
        "released_log_loss": 0.1,
        "log_loss_difference": DIFFERENCE,
        **more,
    }


def card(run: Run, folder: Path, against: object = None) -> dict[str, str]:
    write_trained(run.trained, folder)
    if against is not None:
        (folder / AGAINST_FILE).write_text(json.dumps(against), encoding="utf-8")
    return {path.name: path.read_text(encoding="utf-8") for path in write_card(folder, folder)}


def test_it_is_in_every_form_of_the_card(run: Run, tmp_path: Path) -> None:
    files = card(run, tmp_path, found(digest(run.trained.data)))
    assert "-0.00120 (-0.00200 to 0.00040)" in files[HTML_FILE]
    assert "-0.00120 (-0.00200 to 0.00040)" in files[MARKDOWN_FILE].replace("\\", "")
    for name in (HTML_FILE, MARKDOWN_FILE):
        assert "which flatters it" in files[name]
        assert "-1.20%" in files[name].replace("\\", "")
    assert json.loads(files[JSON_FILE])["against"]["log_loss_difference"] == DIFFERENCE


def test_one_of_another_model_is_none(run: Run, tmp_path: Path) -> None:
    for number, against in enumerate((None, found("2" * 64))):
        files = card(run, tmp_path / str(number), against)
        assert "No comparison stands beside" in files[HTML_FILE]
        assert json.loads(files[JSON_FILE])["against"] is None


@pytest.mark.parametrize("broken", [[], {"model_sha": "x"}, "text"])
def test_a_file_that_is_none_of_ours_is_refused(run: Run, tmp_path: Path, broken: object) -> None:
    with pytest.raises(ArtefactError, match="not a comparison that training wrote"):
        card(run, tmp_path, broken)
