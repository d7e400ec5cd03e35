"""`python -m training table`: the fit in memory from files that are read part by part, and clear errors."""

from __future__ import annotations

import json
from pathlib import Path

import joblib
import pandas as pd
import pytest
from click.testing import CliRunner

from model.dictionary import load_dictionary
from tests.training.conftest import FEATURES, drawn_cases
from tests.training.test_commands import errors, training
from training.cases import partitions
from training.cases.file import read_cases
from training.cases.specs import term_specs
from training.fit.table_regression import TableRegression
from training.table_command import ESTIMATOR_FILE, table

ROWS = 900
HEADER = """
format = 1
name = "Test"
version = "1"
group.column = "family"
[outcome]
column = "outcome"
meaning = "it happened"
positive = ["1"]
"""


@pytest.fixture
def dictionary(tmp_path: Path) -> Path:
    file = tmp_path / "dictionary.toml"
    # A string, a list and a truth value are written in TOML as in JSON.
    features = [{"label": feature["name"], **feature} for feature in FEATURES]
    tables = ["\n".join(f"{key} = {json.dumps(value)}" for key, value in feature.items()) for feature in features]
    file.write_text(HEADER + "".join(f"[[feature]]\n{table}\n" for table in tables), encoding="utf-8")
    return file


@pytest.fixture
def data(tmp_path: Path) -> Path:
    file = tmp_path / "cases.csv"
    drawn_cases(ROWS).to_csv(file, index=False)
    return file


def parquet_folder(folder: Path, typed: bool) -> Path:
    """The same cases in files of several row groups, as text or as a data frame would hold them."""
    folder.mkdir()
    frame = drawn_cases(ROWS)
    if typed:
        numbers = pd.to_numeric(frame["visits"].replace("", None)).astype("Int64")
        frame = frame.assign(visits=numbers, outcome=frame["outcome"].astype(int))
    for number, part in enumerate((frame[:400], frame[400:401], frame[401:])):
        part.to_parquet(folder / f"part-{number}.parquet", index=False, row_group_size=150)
    return folder


def fitted(data: Path, dictionary: Path, out: Path, *options: object) -> TableRegression:
    arguments = [data, "--dictionary", dictionary, "--out", out, "--jobs", 1, *options]
    done = CliRunner().invoke(table, [str(each) for each in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert f"{out / ESTIMATOR_FILE}: {ROWS} rows in" in done.output
    assert "not judged, not for release" in done.output
    assert [file.name for file in out.iterdir()] == [ESTIMATOR_FILE]
    model: TableRegression = joblib.load(out / ESTIMATOR_FILE)
    return model


def test_files_read_part_by_part_give_the_fit_in_memory(
    data: Path, dictionary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "CUT_ROWS", 250)
    read = load_dictionary(dictionary)
    cases = read_cases(data, read)
    here = TableRegression(term_specs(read)).fit(cases.X, cases.y)
    work = tmp_path / "work"
    for number, source in enumerate((data, parquet_folder(tmp_path / "text", typed=False))):
        there = fitted(source, dictionary, tmp_path / f"out-{number}", "--work", work)
        assert there.parameters_.tobytes() == here.parameters_.tobytes()
        assert there.table_ == here.table_
    assert list(work.iterdir()) == []  # what was there meanwhile are cases


def test_types_of_a_data_frame_are_read_as_text_is(dictionary: Path, tmp_path: Path) -> None:
    read = load_dictionary(dictionary)
    typed = partitions.partitions(parquet_folder(tmp_path / "typed", typed=True), read, tmp_path)
    text = partitions.partitions(parquet_folder(tmp_path / "text", typed=False), read, tmp_path)
    assert [part.rows for part in typed] == [150, 150, 100, 1, 150, 150, 150, 49]
    for one, other in zip(typed, text, strict=True):
        pairs = zip(partitions.read_partition(one, read), partitions.read_partition(other, read), strict=True)
        assert all(here.tobytes() == there.tobytes() for here, there in pairs)


def test_a_wrong_cell_found_by_another_process_is_a_line_each_and_nothing_is_written(
    data: Path, dictionary: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    lines = data.read_text(encoding="utf-8").splitlines()
    lines[700] = "zebra77" + lines[700][lines[700].index(",") :]
    data.write_text("\n".join(lines), encoding="utf-8")
    assert errors(training("table", data, "--dictionary", dictionary, "--out", out, "--jobs", 2)) == [
        f"{data}: line 701, column history: put no, yes, or not_known, or leave it empty"
    ]
    assert not out.exists()


def test_what_cannot_be_fitted_is_said_with_the_file(dictionary: Path, tmp_path: Path) -> None:
    empty, text = tmp_path / "empty", tmp_path / "text.parquet"
    empty.mkdir()
    text.write_text("not Parquet")
    short, same = tmp_path / "short.csv", tmp_path / "same.csv"
    drawn_cases(60).drop(columns=["gap", "outcome"]).to_csv(short, index=False)
    drawn_cases(60).assign(outcome="0").to_csv(same, index=False)
    expected = {
        empty: ["holds no file that ends in .parquet"],
        text: ["cannot be read: "],
        short: ["column gap: is missing", "column outcome: is missing"],
        same: ["column outcome: every row has the same outcome; positive is 1"],
        tmp_path / "header.csv": ["has no rows below the header"],
    }
    drawn_cases(60)[:0].to_csv(tmp_path / "header.csv", index=False)
    for source, problems in expected.items():
        arguments = [source, "--dictionary", dictionary, "--out", tmp_path / "out", "--jobs", 1]
        done = CliRunner().invoke(table, [str(each) for each in arguments])
        said = str(done.exception).splitlines()
        assert all(line.startswith(f"{source}: {problem}") for line, problem in zip(said, problems, strict=True))
    assert not (tmp_path / "out").exists()


def test_workers_elsewhere_need_a_folder_that_they_see(data: Path, dictionary: Path, tmp_path: Path) -> None:
    to = ["--out", tmp_path / "out", "--engine", "dask", "--scheduler", "tcp://127.0.0.1:1"]
    (error,) = errors(training("table", data, "--dictionary", dictionary, *to))
    assert error.startswith("--scheduler needs --work as well")
    assert not (tmp_path / "out").exists()
