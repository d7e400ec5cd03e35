"""`python -m benchmarks learners` as somebody runs it, on a file of their own."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from benchmarks.learners.command import main

ROOT = Path(__file__).parents[3]
DICTIONARY = """
format = 1
name = "Small"
version = "1"
[outcome]
column = "outcome"
meaning = "an outcome"
positive = ["1"]
[group]
column = "family"
[[agency]]
id = "gp"
label = "GP"
[[feature]]
name = "history"
label = "History"
kind = "yes_no"
direction = "raises"
held_by = ["gp"]
source = ""
[[feature]]
name = "visits"
label = "Visits"
kind = "count"
direction = "lowers"
reference = 9
held_by = ["gp"]
source = ""
"""


@pytest.fixture
def files(small, tmp_path):
    frame = pd.DataFrame(
        {"family": small.groups, "outcome": small.y, "history": small.X[:, 0], "visits": small.X[:, 1]}
    )
    frame["history"] = np.where(frame["history"].isna(), "", np.where(frame["history"] == 1, "yes", "no"))
    frame.to_csv(tmp_path / "cases.csv", index=False)
    (tmp_path / "dictionary.toml").write_text(DICTIONARY)
    return tmp_path


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "learners", *arguments],
        cwd=ROOT, env={**os.environ, "GROUNDS_VAR": str(folder / "var")}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_it_compares_prints_and_goes_on_from_what_it_kept(files):
    own = ("--file", str(files / "cases.csv"), str(files / "dictionary.toml"), "--repeats", "2")
    first = run(files, *own, "--only", "Grounds")
    assert first.returncode == 0, first.stderr
    assert "cases.csv: " in first.stdout
    assert "2 grouped repeats" in first.stdout
    kept = (files / "var/benchmarks/learners.jsonl").read_text().splitlines()
    assert len(kept) == 2
    again = run(files, *own, "--only", "Grounds", "logistic regression")
    assert again.returncode == 0, again.stderr
    assert "2 of 4 fits were kept from an earlier run" in again.stdout
    assert (files / "var/benchmarks/learners.jsonl").read_text().splitlines()[:2] == kept


def test_errors_are_a_line_each_and_no_traceback(files, capsys, monkeypatch):
    broken = run(files, "--file", str(files / "cases.csv"), str(files / "missing.toml"))
    assert broken.returncode == 1
    assert "missing.toml" in broken.stdout
    assert "Traceback" not in broken.stderr
    # In this process, where a traceback would be a failure: libraries take seconds to load in another.
    monkeypatch.setenv("GROUNDS_VAR", str(files / "var"))
    printed = io.StringIO()
    assert main(["--sets", "readmission", "--data", str(files)], Console(file=printed, width=120)) == 1
    assert "readmission.csv.gz is not in" in printed.getvalue()
    assert "no set is left to compare on" in printed.getvalue()
    for arguments, said in (("--only", "crystal ball"), "crystal ball"), (("--repeats", "0"), "0 is not at least 1"):
        with pytest.raises(SystemExit, match="2"):
            main(arguments, Console(file=printed))
        assert said in capsys.readouterr().err
