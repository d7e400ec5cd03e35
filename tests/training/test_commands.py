"""The commands as a person runs them: what can be put right is a line each and exit code 1, never a traceback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from model.artefact import MODEL_FILE, read_model
from service.model_files import load_active
from tests.builders import model_content, plain_dictionary, yes_no_term
from tests.training.conftest import drawn_cases
from training.__main__ import NO_FAMILIES

ROOT = Path(__file__).parents[2]
ODD_ROWS = 4000  # enough that columns of noise do not hide whether the model is as good as a plain one
STAGE = re.compile(r" *\d+\.\d s  [a-z ]+")
DICTIONARY = """
format = 1
name = "Test"
version = "1"
[outcome]
column = "outcome"
meaning = "it happened"
positive = ["1"]
[[feature]]
name = "history"
label = "History"
kind = "yes_no"
"""


def training(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, encoding="utf-8")


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The error lines of a command that failed as it should: exit code 1, nothing on standard output, no traceback."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if not STAGE.fullmatch(line) and line != NO_FAMILIES]
    assert all(line.startswith("error: ") for line in lines), done.stderr
    return [line.removeprefix("error: ") for line in lines]


@pytest.mark.parametrize("arguments", [("nothing",), ("train",), ("train", "--seed", "many"), ("card", "--nothing")])
def test_errors_are_spelled_alike_whoever_found_them(arguments: tuple[str, ...]) -> None:
    done = training(*arguments)
    assert done.returncode == 2
    assert re.search("^error: ", done.stderr, re.MULTILINE), done.stderr
    assert "Error" not in done.stderr


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A data file and a dictionary that fit each other."""
    data, dictionary = tmp_path / "cases.csv", tmp_path / "dictionary.toml"
    drawn_cases(60).to_csv(data, index=False)
    dictionary.write_text(DICTIONARY)
    return data, dictionary


COMMANDS = ("train", "table", "describe", "anonymity", "cohort", "release", "compare", "rollback", "card", "replay")


@pytest.mark.parametrize("command", [[], *([command] for command in COMMANDS)])
def test_every_command_helps(command: list[str]) -> None:
    done = training(*command, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: python -m training {''.join(command)}".rstrip())
    assert done.stderr == ""


def test_a_draft_of_an_odd_file_trains_as_it_stands_and_is_released(tmp_path: Path) -> None:
    frame = drawn_cases(ODD_ROWS)
    rng = np.random.default_rng(0)
    frame["1x é"] = rng.choice(["it's", 'a "q"', "b\\s", "new\nline", "😀", "other", "not_known"], ODD_ROWS)
    frame["outcome!"] = rng.normal(-5, 3, ODD_ROWS).round(2)
    frame["never"] = ""
    frame["seen"] = rng.choice([True, False], ODD_ROWS)
    frame["mostly"] = np.where(rng.random(ODD_ROWS) < 0.01, "k", "")
    frame["many"] = [f"code {number}" for number in rng.integers(0, 60, ODD_ROWS)]
    frame["day"] = [f"2020-01-{day:02}" for day in rng.integers(1, 29, ODD_ROWS)]
    data, dictionary, out = tmp_path / "odd file.csv", tmp_path / "d.toml", tmp_path / "out"
    frame.to_csv(data, index=False)
    drafted = training("describe", data, "--outcome", "outcome", "--group", "family", "--exclude", "gap")
    assert (drafted.returncode, drafted.stderr) == (0, "")
    dictionary.write_text(drafted.stdout, encoding="utf-8")
    done = training("train", "--data", data, "--dictionary", dictionary, "--out", out, "--jobs", 1)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert f"written: {out / MODEL_FILE}" in done.stdout
    assert "released model: boosted bags" in done.stderr
    model = read_model((out / MODEL_FILE).read_bytes())
    assert not model.synthetic
    assert [feature.file_column for feature in model.dictionary.features] == [
        *("history", "in_contact", "concern", "visits", "source"),
        *("1x é", "outcome!", "seen", "mostly", "many"),
    ]
    assert {excluded.name for excluded in model.dictionary.excluded} == {"gap", "never", "day"}
    into = ["--models", tmp_path / "models", "--keys", tmp_path / "keys"]
    released = training("release", out, *into)
    assert released.returncode == 0, released.stdout + released.stderr
    assert released.stdout.splitlines()[-1] == f"released and active: {model.version}"
    shown = " ".join(released.stdout.split())
    assert "quasi-identifier" in shown  # a draft marks nothing: the gates pass and say what nobody could measure
    assert "not judged" in shown
    assert load_active(tmp_path / "models", tmp_path / "keys").model.version == model.version


def test_bad_data_is_said_line_by_line_and_nothing_is_written(files: tuple[Path, Path], tmp_path: Path) -> None:
    data, dictionary = files
    data.write_text("history,outcome\nyes,1\nzebra77,0\nno,\n")
    found = errors(training("train", "--data", data, "--dictionary", dictionary, "--out", tmp_path / "out"))
    assert found == [
        f"{data}: line 3, column history: put no, yes, or not_known, or leave it empty",
        f"{data}: line 4, column outcome: the outcome is not known; remove the row",
    ]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("format = 1\nname = ", "not valid TOML"),
        (DICTIONARY.replace("yes_no", "yesno"), "feature history: kind: 'yesno' is not one of"),
        (DICTIONARY.replace('positive = ["1"]\n', ""), "outcome: positive: is missing"),
    ],
)
def test_a_bad_dictionary_is_one_line(files: tuple[Path, Path], tmp_path: Path, text: str, error: str) -> None:
    data, dictionary = files
    dictionary.write_text(text)
    found = errors(training("train", "--data", data, "--dictionary", dictionary, "--out", tmp_path / "out"))
    assert len(found) == 1
    assert found[0].startswith(f"{dictionary}: ")
    assert error in found[0]


@pytest.mark.parametrize("command", [("train", "--data"), ("table",)])
def test_a_folder_that_cannot_hold_the_result_is_said_before_anything_is_fitted(files, command) -> None:
    data, dictionary = files
    found = errors(training(*command, data, "--dictionary", dictionary, "--out", "/proc/nowhere"))
    assert found == ["/proc/nowhere: cannot be written to: No such file or directory; name another folder"]


def test_files_that_are_not_there_are_one_line_each(files: tuple[Path, Path], tmp_path: Path) -> None:
    data, dictionary = files
    nowhere, out = tmp_path / "nowhere.csv", tmp_path / "out"
    assert errors(training("train", "--data", nowhere, "--dictionary", dictionary, "--out", out)) == [
        f"{nowhere}: cannot be read: No such file or directory"
    ]
    assert errors(training("train", "--data", data, "--dictionary", tmp_path / "no.toml", "--out", out)) == [
        f"{tmp_path / 'no.toml'}: no such file; give the path of a dictionary in TOML"
    ]
    assert errors(training("describe", nowhere, "--outcome", "outcome")) == [
        f"{nowhere}: cannot be read: No such file or directory"
    ]
    assert "run make train" in errors(training("release", out, "--models", out, "--keys", out))[0]


def test_too_few_cases_is_one_line(files: tuple[Path, Path], tmp_path: Path) -> None:
    data, dictionary = files
    data.write_text("history,outcome\n" + "yes,1\nno,0\n" * 4)
    found = errors(training("train", "--data", data, "--dictionary", dictionary, "--out", tmp_path / "out"))
    assert found == [
        "too few cases to judge a model: 4 families have the outcome and 4 have a case without it; more than 5 of each "
        "are needed, so that both sides of a split have both"
    ]


def test_a_dictionary_without_data_does_not_get_the_synthetic_cohort(files: tuple[Path, Path], tmp_path: Path) -> None:
    found = errors(training("train", "--dictionary", files[1], "--out", tmp_path / "out"))
    assert len(found) == 1
    assert "give DATA as well" in found[0]


def test_describe_names_every_column_that_is_not_in_the_file(files: tuple[Path, Path]) -> None:
    data, _ = files
    assert errors(training("describe", data, "--outcome", "result", "--exclude", "shoe")) == [
        f"{data}: column result: is not in the file",
        f"{data}: column shoe: is not in the file",
    ]


def test_a_failed_gate_is_shown_and_stops_with_exit_code_1(tmp_path: Path) -> None:
    content = model_content(
        plain_dictionary({"name": "harm", "kind": "yes_no", "direction": "raises"}, group={"column": "family"}),
        [yes_no_term("harm", 0.0, 0.5, 1.0)],
        training={"shap": {"largest_difference": 1e-9}, "compile_difference": 0.0, "events": 12},
        evaluation={
            "grounds": {
                "auc": {"value": 0.8, "low": 0.7, "high": 0.9},
                "calibration_slope": {"value": 1.0, "low": 0.9, "high": 1.1},
                "calibration_intercept": {"value": 0.0, "low": -0.1, "high": 0.1},
            },
            "events": 100,
            "difference": {"logistic regression": {"auc": {"value": 0.0, "low": -0.01, "high": 0.01}}},
        },
    )
    (tmp_path / MODEL_FILE).write_text(json.dumps(content))
    done = training("release", tmp_path, "--models", tmp_path / "models", "--keys", tmp_path / "keys")
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert said.startswith(f"error: not released: enough events; the model stays in {tmp_path}; ")
    assert "--override enough_events --reason CODE --by ROLE" in said
    assert done.stdout.count("FAIL") == 1
    assert not (tmp_path / "models").exists()


def test_the_cohort_is_written_with_its_truth_apart(tmp_path: Path) -> None:
    done = training("cohort", "--families", 200, "--out", tmp_path, "--report")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].endswith("cases of 200 families, synthetic")
    assert {path.name for path in tmp_path.iterdir()} == {"cohort.csv", "truth.csv"}


@pytest.mark.parametrize("arguments", [["train"], ["train", "--out", "x", "--families", "3"], ["describe"], ["fit"]])
def test_wrong_use_is_exit_code_2_with_the_usage(arguments: list[str]) -> None:
    done = training(*arguments)
    assert done.returncode == 2
    assert "Usage: python -m training" in done.stderr


def test_anonymity_counts_and_writes_a_new_file_and_never_the_old_one(files: tuple[Path, Path], tmp_path: Path) -> None:
    data, dictionary = files
    dictionary.write_text(DICTIONARY + "quasi_identifier = true\n")
    data.write_text("\n".join(["history,outcome", *["yes,1"] * 3, *["no,0"] * 10, *[",1"] * 6]) + "\n")
    found = training("anonymity", data, "--dictionary", dictionary)
    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout.splitlines() == [
        "quasi-identifiers: history",
        "19 cases in 3 cells; the smallest holds <5 cases",
        "NOT k-anonymous with k = 5 cases: <5 cases in 1 small cells",
        "rare answer: history = yes: <5",
        "small cell: yes: <5",
        "without history: no cases in small cells",
    ]
    before, out = data.read_bytes(), tmp_path / "anonymous.csv"
    mended = training("anonymity", data, "--dictionary", dictionary, "--suppress", "--out", out)
    assert (mended.returncode, mended.stderr) == (0, "")
    assert mended.stdout.splitlines()[-2:] == ["k-anonymous with k = 5 cases", f"written: {out} (19 cases)"]
    assert out.read_text().splitlines()[:4] == ["history,outcome", ",1", ",1", ",1"]
    assert data.read_bytes() == before
    for name, said in ((data, "is the data file itself"), (out, "exists")):
        again = errors(training("anonymity", data, "--dictionary", dictionary, "--suppress", "--out", name))
        assert again == [f"{name}: {said}; name a new file, nothing is changed in place"]
    assert "name it with --out" in errors(training("anonymity", data, "--dictionary", dictionary, "--suppress"))[0]


def test_a_leak_stops_the_run_before_anything_is_fitted(files: tuple[Path, Path], tmp_path: Path) -> None:
    data, dictionary = files
    outcome = ["1", "0", "0", "0"] * 15
    data.write_text("\n".join(["history,outcome", *(f"{'yes' if y == '1' else 'no'},{y}" for y in outcome)]) + "\n")
    found = errors(training("train", "--data", data, "--dictionary", dictionary, "--out", tmp_path / "out"))
    assert len(found) == 1
    assert found[0].startswith(f"{data}: column history: is the outcome under another name or turned round; ")
    assert not (tmp_path / "out").exists()


def test_without_families_a_run_warns_speaks_of_cases_and_is_not_released(tmp_path: Path) -> None:
    data, dictionary, out = tmp_path / "cases.csv", tmp_path / "dictionary.toml", tmp_path / "out"
    drawn_cases(1200).to_csv(data, index=False)
    dictionary.write_text(DICTIONARY)
    done = training("train", "--data", data, "--dictionary", dictionary, "--out", out, "--jobs", 1, "--pairs", 0)
    assert done.returncode == 0, done.stderr
    assert NO_FAMILIES in done.stderr.splitlines()
    assert "families not named" in done.stdout
    assert "Held-out families" not in done.stdout
    assert "by family" not in done.stdout
    for name in ("card.md", "card.html", "atrs.md"):
        text = (out / name).read_text()
        assert "resampling cases" in text
        assert "resampling families" not in text
        assert "1,200 families" not in text
    refused = training("release", out, "--models", tmp_path / "models", "--keys", tmp_path / "keys")
    assert "not released: " in refused.stderr
    assert "families named" in refused.stderr
