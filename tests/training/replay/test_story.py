"""The shap library, on archived estimators, gives what the log says; and names what it does not give."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import pytest
from click.testing import CliRunner, Result

from model.artefact import MODEL_FILE, write_model
from service.access.keys import Caller
from service.log.checkpoint import create_signing_key
from service.log.export import export_lines
from service.log.store import LogStore
from service.model_files import load_active
from service.replay.source import ExportFile
from service.replay.source import sample as drawn_by_service
from service.screening.answer import AnswerWriter
from service.screening.schemas import UNSEEN
from service.screening.story import screen
from tests.training.conftest import Run
from training.__main__ import main
from training.cases.logged import UNSEEN_LEVEL, ExportError, read_screenings, sample
from training.judge.background import resampled_background
from training.release.archive import ESTIMATORS_FILE, STATEMENT_FILE, ArchiveError, archive_files, load_estimators
from training.release.story import PUBLIC_KEY, release, signing_key
from training.writing import write_trained

CALLER = Caller("00000000", "practitioner")
ASKED = (
    {"history": "yes", "in_contact": "no", "concern": "much", "visits": 0, "gap": 31.5, "source": "police"},
    {"history": "no", "concern": "none", "visits": 12, "gap": "not_applicable", "source": UNSEEN},
    {},
    {"history": "yes", "source": "school", "gap": 3, "visits": "not_known", "concern": None},
)


@dataclass(frozen=True)
class Kept:
    """Two released versions with their estimators, and the export of a log with entries of both."""

    folder: Path
    export: Path
    first: str

    @property
    def public_key(self) -> Path:
        return self.folder / "keys" / PUBLIC_KEY

    def replay(self, export: Path | None = None, *options: object) -> Result:
        arguments = ["replay", export or self.export, "--models", self.folder / "models", *options]
        return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def made(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("var")
    write_trained(run.trained, folder / "trained")
    log = LogStore.open(folder / "log.sqlite", create_signing_key(folder / "log.pem", "test.invalid/log"))
    versions = []
    for number in range(2):
        content = json.loads(run.trained.data)
        if number:
            content["version"] = "later-1"
            (folder / "trained" / MODEL_FILE).write_bytes(write_model(content))
        versions.append(release(folder / "trained", folder / "models", folder / "keys", lambda gates: None))
        active = load_active(folder / "models", folder / "keys")
        assert active.model.version == versions[-1]
        for features in ASKED[: 4 - number]:
            asked = {"case_ref": "case-1", "agency": "gp", "features": features}
            screen(asked, active, AnswerWriter(active.model), log, CALLER)
    log.append("lookup", b"{}")
    export = folder / "log.jsonl"
    export.write_bytes(b"".join(export_lines(log)))
    log.close()
    return Kept(folder, export, versions[0])


@pytest.fixture
def kept(made: Kept, tmp_path: Path) -> Kept:
    """A copy that a test may alter."""
    shutil.copytree(made.folder, tmp_path / "var")
    return Kept(tmp_path / "var", tmp_path / "var" / "log.jsonl", made.first)


def altered(kept: Kept, index: int, change: Callable[[dict], None]) -> Path:
    """An unverified copy of the export with the payload of one entry changed."""
    lines = kept.export.read_text().splitlines()
    line = json.loads(lines[index + 1])
    payload = json.loads(line["payload"])
    change(payload)
    line["payload"] = json.dumps(payload)
    lines[index + 1] = json.dumps(line)
    copy = kept.folder / "altered.jsonl"
    copy.write_text("\n".join(lines) + "\n")
    return copy


def contribution(payload: dict, feature: str) -> dict:
    return next(row for row in payload["answer"]["explanation"]["contributions"] if row["feature"] == feature)


def test_entries_of_old_and_new_releases_agree_with_their_own_estimators(made: Kept) -> None:
    result = made.replay()
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("7 screenings: 7 agree (our table exactly, shap within 1e-06 log-odds; largest ")
    assert "; 0 differ; 0 erased" in result.stdout
    largest = float(result.stdout.split("largest ")[1].split(")")[0])
    assert 0 < largest < 1e-9
    assert len(result.stdout.splitlines()) == 1


@pytest.mark.parametrize("by", [1e-12, 1e-3])
def test_an_altered_contribution_is_named_to_the_digit(kept: Kept, by: float) -> None:
    seen = []

    def change(payload: dict) -> None:
        row = contribution(payload, "history")
        seen.append(row["contribution"])
        row["contribution"] += by
        seen.append(row["contribution"])

    result = kept.replay(altered(kept, 0, change))
    right, wrong = seen
    assert result.exit_code == 1
    assert f"contributions[history]: logged {wrong}, by the table {right}\n" in result.stdout
    # The table is exact; the judge has a tolerance, and below it only the table speaks.
    assert (f"contributions[history]: logged {wrong}, by shap " in result.stdout) == (by > 1e-6)
    assert "6 agree" in result.stdout
    assert "1 differ;" in result.stdout


def test_two_contributions_that_swap_an_amount_are_found(kept: Kept) -> None:
    def change(payload: dict) -> None:
        contribution(payload, "history")["contribution"] += 0.25
        contribution(payload, "in_contact")["contribution"] -= 0.25

    result = kept.replay(altered(kept, 3, change))
    assert result.exit_code == 1
    assert "contributions[history]: logged" in result.stdout
    assert "contributions[in_contact]: logged" in result.stdout
    assert result.stdout.count("by shap") == 2


def test_an_altered_score_and_a_missing_row_are_named(kept: Kept) -> None:
    def change(payload: dict) -> None:
        payload["answer"]["score"] = 0.25
        payload["answer"]["explanation"]["contributions"].pop(0)

    result = kept.replay(altered(kept, 0, change))
    assert "score: logged 0.25, by the table 0." in result.stdout
    assert "log-odds of score: logged -1.09" in result.stdout
    assert "]: logged (absent), by the table" in result.stdout


def test_estimators_that_are_not_those_of_the_table_are_found_by_shap(kept: Kept, run: Run) -> None:
    """Signed as they should be, yet fitted otherwise: only the judge can see it, and the table agrees."""
    other = run.again(seed=8).estimators
    folder = kept.folder / "estimators" / kept.first
    joblib.dump(other, kept.folder / "other.joblib")
    model = (kept.folder / "models" / kept.first / MODEL_FILE).read_bytes()
    key = signing_key(kept.folder / "keys")
    for name, data in archive_files((kept.folder / "other.joblib").read_bytes(), model, key).items():
        (folder / name).write_bytes(data)
    result = kept.replay()
    assert result.exit_code == 1
    assert "by shap" in result.stdout
    assert "by the table" not in result.stdout
    assert "3 agree" in result.stdout
    assert "4 differ" in result.stdout


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda folder: (folder / ESTIMATORS_FILE).write_bytes(b"cos\nsystem\n"), "are not those that were signed"),
        (lambda folder: (folder / ESTIMATORS_FILE).unlink(), "estimators are not in the archive"),
        (lambda folder: (folder / STATEMENT_FILE).write_text("{}"), "not a statement by the release key"),
        (lambda folder: shutil.rmtree(folder), "estimators are not in the archive"),
        (
            lambda folder: (folder / STATEMENT_FILE).write_text(
                (folder / STATEMENT_FILE).read_text().replace('"estimators_sha256": "', '"estimators_sha256": "0')
            ),
            "signature does not fit",
        ),
        (
            lambda folder: [
                shutil.copy(folder.parent / "later-1" / name, folder) for name in (ESTIMATORS_FILE, STATEMENT_FILE)
            ],
            "belong to another model",
        ),
    ],
)
def test_estimators_that_cannot_be_trusted_are_never_loaded(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], object], said: str
) -> None:
    loaded, load = [], joblib.load
    monkeypatch.setattr(joblib, "load", lambda file: loaded.append(1) or load(file))
    harm(kept.folder / "estimators" / kept.first)
    result = kept.replay()
    assert result.exit_code == 1
    assert result.stdout.count(said) == 4
    assert "3 agree" in result.stdout
    assert "4 could not be replayed" in result.stdout
    assert len(loaded) == 1  # those of the later version


def test_a_signed_file_that_holds_no_ensemble_is_refused(kept: Kept) -> None:
    key, folder = signing_key(kept.folder / "keys"), kept.folder / "estimators" / "x"
    folder.mkdir()
    joblib.dump({"a": 1}, kept.folder / "other.joblib")
    for content in ((kept.folder / "other.joblib").read_bytes(), b"garbage"):
        for name, data in archive_files(content, b"model", key).items():
            (folder / name).write_bytes(data)
        digest = json.loads((folder / STATEMENT_FILE).read_text())["model_sha256"]
        with pytest.raises(ArchiveError, match=r"holds no ensemble|do not load"):
            load_estimators(folder, digest, kept.public_key)


def test_what_cannot_be_judged_is_listed_and_what_is_erased_counted(kept: Kept) -> None:
    lines = [json.loads(line) for line in kept.export.read_text().splitlines()]
    lines[1].update(payload=None, salt=None)
    lines[2].update(payload=None)
    lines[3].update(payload="{}")
    lines[4]["leaf"] = lines[4]["leaf"].replace('"format":1', '"format":2')
    lines[5]["payload"] = lines[5]["payload"].replace('"history":"yes"', '"history":"Mary"')
    lines[6]["payload"] = lines[6]["payload"].replace('"model_sha256":"', '"model_sha256":"0')
    kept.export.write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = kept.replay()
    assert result.exit_code == 1
    for said in (
        "its payload could not be read",
        "is not that of a screening of format 1",
        "has a format that this version does not know",
        "its logged input is not one that its model can read",
        "its model is not in the archive",
        "7 screenings: 1 agree",
        "1 erased, so not replayed; 5 could not be replayed",
    ):
        assert said in result.stdout
    assert "Mary" not in result.output


def test_a_sample_is_the_one_that_the_service_draws(made: Kept) -> None:
    source = ExportFile(made.export)
    for seed in range(5):
        ours = sample(made.export, 3, seed)
        assert ours == drawn_by_service(source.entries(0, source.size), 3, seed)
        assert len(ours) == 3
        assert [entry.index for entry in read_screenings(made.export, ours)] == sorted(ours)
    assert made.replay(None, "--sample", 2).stdout.startswith("2 screenings: 2 agree")
    assert len(sample(made.export, 100, 0)) == 7


def test_the_log_s_word_for_an_unlisted_level_is_the_service_s() -> None:
    assert UNSEEN_LEVEL == UNSEEN


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "line 1 is not a JSON object"),
        ('{"format":1,"size":3,"origin":"x"}\n', "cut short"),
        ('{"format":9,"size":3,"origin":"x"}\n', "not an export of format 1"),
        ('{"format":1,"size":0,"origin":"x"}\n{"checkpoint":""}\n', "holds no screening"),
        ('{"format":1,"size":1,"origin":"x"}\n[]\n', "line 2 is not a JSON object"),
    ],
)
def test_a_replay_that_cannot_be_run_is_one_line_and_exit_code_2(
    made: Kept, tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "export").write_text(content)
    result = made.replay(tmp_path / "export")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "no such folder" in made.replay(None, "--models", tmp_path / "none").stderr
    with pytest.raises(ExportError):
        list(read_screenings(made.folder / "log.pub"))


def test_the_background_is_drawn_by_bin_and_every_row_is_a_case(run: Run) -> None:
    table = run.trained.estimators.table_
    rows = resampled_background(table, 4000, 0)
    for j, term in enumerate(table.terms):
        counts = term.counts_by_code()
        found = np.bincount(term.codes(rows[:, j]), minlength=len(counts))
        assert np.abs(found / len(rows) - counts / counts.sum()).max() < 0.03
