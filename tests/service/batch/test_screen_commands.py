"""The commands as an operator types them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.batch.files import VERSION, entries, read_rows, write_cases

TOP = Path(__file__).parents[3]
CASES = {"case_ref": ["r-1", "r-2"], "parent_mental_health_history": ["yes", None]}


@pytest.fixture
def command(settings):
    def run(*arguments, **more):
        environment = {**os.environ, "GROUNDS_VAR": str(settings.var), "GROUNDS_LOG_ORIGIN": settings.origin, **more}
        return subprocess.run(
            [sys.executable, "-m", "service", "screen", *map(str, arguments)],
            cwd=TOP,
            env=environment,
            capture_output=True,
            text=True,
        )

    return run


def test_screen_verify_prove_and_check(command, settings, tmp_path):
    cases, out = write_cases(tmp_path / "in.csv", CASES), tmp_path / "out.csv"
    done = command(cases, out)
    assert done.returncode == 0, done.stderr
    # Entry 0 says that this model is in use.
    assert f"2 cases screened by {VERSION}; log entry 1" in done.stdout
    assert "synthetic" in done.stdout
    assert command("verify", out).returncode == 0
    proved = command("prove", out, 2)
    assert json.loads(proved.stdout)["row"]["case_ref"] == "r-2"
    (tmp_path / "proof.json").write_text(proved.stdout)
    key = settings.keys / "log.pub"
    checked = command("check-proof", tmp_path / "proof.json", "--key", key)
    assert checked.stdout == "proved: row 2 of the 2 that log entry 1 tells of\n"
    (tmp_path / "proof.json").write_text(proved.stdout.replace("r-2", "r-3"))
    refused = command("check-proof", tmp_path / "proof.json", "--key", key)
    assert refused.returncode == 1
    assert "is not in the job" in refused.stderr


def test_an_altered_file_does_not_verify(command, tmp_path):
    cases, out = write_cases(tmp_path / "in.csv", CASES), tmp_path / "out.csv"
    assert command(cases, out).returncode == 0
    out.write_text(out.read_text().replace("r-2", "r-9"))
    found = command("verify", out)
    assert found.returncode == 1
    assert "line 3: the row is not the one that its leaf hash was made from" in found.stderr
    assert "its bytes are not those of the file that the job wrote" in found.stderr
    assert "Traceback" not in found.stderr


def test_a_file_may_be_called_verify(command, settings, tmp_path):
    cases = write_cases(tmp_path / "in.csv", CASES)
    (tmp_path / "verify.csv").write_bytes(cases.read_bytes())
    assert command(tmp_path / "verify.csv", "--out", tmp_path / "out.csv").returncode == 0
    assert len(read_rows(tmp_path / "out.csv")) == 2
    assert [entry.kind for entry in entries(settings)] == ["model_activated", "batch"]


@pytest.mark.parametrize("begun", [False, True])
def test_where_cases_are_refused_nothing_is_made(command, settings, tmp_path, begun):
    if begun:
        assert command(write_cases(tmp_path / "good.csv", CASES), tmp_path / "good.out.csv").returncode == 0
    before = made_in(tmp_path)
    cases = write_cases(tmp_path / "in.csv", {"domestic_abuse": ["?"]})
    refused = command(cases, tmp_path / "new" / "out.csv")
    assert refused.returncode == 1
    assert "line 2, column domestic_abuse" in refused.stderr
    assert made_in(tmp_path) == sorted([*before, "in.csv"])
    assert settings.log_database.exists() == begun


def made_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_an_output_that_is_there_is_replaced_only_when_asked(command, settings, tmp_path):
    cases, out = write_cases(tmp_path / "in.csv", CASES), tmp_path / "out.csv"
    out.write_text("older")
    refused = command(cases, out)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "remove it, name another file, or replace it with --overwrite" in refused.stderr
    assert out.read_text() == "older"
    assert not settings.log_database.exists()
    assert command(cases, out, "--overwrite").returncode == 0
    assert len(read_rows(out)) == 2


@pytest.mark.parametrize("arguments", [("in.csv",), ("in.csv", "a.csv", "--out", "b.csv")])
def test_one_output_is_named(command, tmp_path, arguments):
    write_cases(tmp_path / "in.csv", CASES)
    refused = command(*(tmp_path / a if a.endswith(".csv") else a for a in arguments))
    assert refused.returncode == 2
    assert "name one file for the output" in refused.stderr


def test_without_numpy_and_pyarrow_the_fix_is_one_line(command, tmp_path):
    cases = write_cases(tmp_path / "in.csv", CASES)
    # A module of that name that is not there, as on a machine with the service's own packages alone.
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide" / "pyarrow.py").write_text("raise ModuleNotFoundError('no pyarrow', name='pyarrow')\n")
    refused = command(cases, tmp_path / "out.csv", PYTHONPATH=str(tmp_path / "hide"))
    assert refused.returncode == 1
    assert "requirements-batch.lock" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_full_disk_leaves_nothing(command, settings, tmp_path):
    """Limits the size of files for the process, which is how a full disk looks to it."""
    rows = 3000
    cases = write_cases(
        tmp_path / "in.csv", {"case_ref": [f"r-{row}" for row in range(rows)], "domestic_abuse": ["yes"] * rows}
    )
    screen = f"{sys.executable} -m service screen {cases} {tmp_path / 'out.csv'}"
    environment = {**os.environ, "GROUNDS_VAR": str(settings.var), "GROUNDS_LOG_ORIGIN": settings.origin}
    found = subprocess.run(
        ["bash", "-c", f"ulimit -f 1000; exec {screen}"], cwd=TOP, env=environment, capture_output=True, text=True
    )
    assert found.returncode != 0
    assert "Traceback" not in found.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "var"]
    assert entries(settings) == []
