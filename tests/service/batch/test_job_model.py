"""A file says by which model it was screened, and one that nobody released never passes for one that was."""

import json

import pytest

from model.artefact import MODEL_FILE, SIGNATURE_FILE, ArtefactError, digest
from model.dictionary import shipped_dictionary
from service.batch.job import screen_file
from service.batch.job_model import active_model, job_model
from service.running.assembly import open_log
from tests.service.batch.files import VERSION, entries, read_rows, write_cases
from tests.service.conftest import hand_made_model

CASES = {"case_ref": ["r-1", "r-2"], "parent_mental_health_history": ["yes", None]}


def screened_by(settings, by, tmp_path, suffix=".csv"):
    """The report, the rows and the kinds and payloads of the log's entries."""
    out = tmp_path / f"out{suffix}"
    report = screen_file(write_cases(tmp_path / "in.csv", CASES), by, out, lambda: open_log(settings), overwrite=True)
    return report, read_rows(out), [(entry.kind, json.loads(entry.payload)) for entry in entries(settings)]


@pytest.fixture
def unreleased(tmp_path):
    """What `make train OUT=...` wrote: a model without a signature, of the same version as the released one."""
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / MODEL_FILE).write_bytes(hand_made_model(shipped_dictionary()))
    return tmp_path / "training"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_rows_report_and_entry_say_that_nobody_released_it(settings, tmp_path, unreleased, suffix):
    report, rows, logged = screened_by(settings, job_model(unreleased, settings.keys), tmp_path, suffix)
    name = f"not-released-{digest((unreleased / MODEL_FILE).read_bytes())[:12]}"
    assert {row["model"] for row in rows} == {name}
    assert "was not released" in report
    assert f"screened by {name};" in report
    ((kind, said),) = logged
    assert (kind, said["model"]["released"]) == ("batch", False)
    assert "release_key" not in said["model"]


def test_a_released_one_has_its_version_and_who_signed(settings, tmp_path):
    by = job_model(settings.models / VERSION, settings.keys)
    report, rows, logged = screened_by(settings, by, tmp_path)
    assert {row["model"] for row in rows} == {VERSION}
    assert "not released" not in report
    ((_, said),) = logged
    assert said["model"]["released"] is True
    assert said["model"]["release_key"] == by.released.key_id


def test_the_first_job_of_the_active_model_records_that_it_is_in_use(settings, tmp_path):
    for _ in range(2):
        logged = screened_by(settings, active_model(settings.models, settings.keys), tmp_path)[2]
    assert [kind for kind, _ in logged] == ["model_activated", "batch", "batch"]
    assert logged[0][1]["model"]["sha256"] == logged[1][1]["model"]["sha256"]


def test_a_released_model_that_was_altered_is_not_taken_for_one_that_nobody_released(settings):
    path = settings.models / VERSION / MODEL_FILE
    path.write_bytes(path.read_bytes().replace(b"4", b"3", 1))
    with pytest.raises(ArtefactError, match="signature does not fit"):
        job_model(path.parent, settings.keys)


def test_a_release_without_its_signature_loses_its_name(settings):
    (settings.models / VERSION / SIGNATURE_FILE).unlink()
    assert job_model(settings.models / VERSION, settings.keys).name.startswith("not-released-")


def test_a_folder_without_a_model_is_one_line(tmp_path, settings):
    with pytest.raises(ArtefactError, match=r"model\.json: cannot be read: No such file"):
        job_model(tmp_path, settings.keys)
