"""`python -m service ...` as a person runs it."""

import csv
import json
import os
import subprocess
import sys

import pytest

from model.artefact import MODEL_FILE
from service.settings import SettingsError, read_settings
from tests.service.conftest import VERSION


@pytest.fixture
def command(settings):
    def run(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-m", "service", *map(str, arguments)],
            env={**os.environ, "GROUNDS_VAR": str(settings.var), **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_keys_from_the_command_line(command):
    made = command("key", "create", "--role", "practitioner", "--agency", "gp")
    key_id = made.stdout.split()[2]
    assert key_id in command("key", "list").stdout
    assert command("key", "revoke", key_id).returncode == 0
    assert "revoked" in command("key", "list").stdout
    unknown = command("key", "revoke", "nothing")
    assert unknown.returncode == 1
    assert unknown.stderr == "error: there is no key nothing; python -m service key list shows them\n"


def test_a_wrong_setting_is_one_line(command):
    result = command("key", "list", GROUNDS_PORT="99999")
    assert result.returncode == 1
    assert result.stderr == "error: GROUNDS_PORT: 99999 is not between 1 and 65535\n"
    assert "Traceback" not in command("key", "list", GROUNDS_WORKERS="many").stderr
    result = command("key", "list", GROUNDS_AUDIT_RATE="often")
    assert result.stderr == "error: GROUNDS_AUDIT_RATE: set a number and a time, for instance 120/minute\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nothing",), 2),
        (("--nothing",), 2),
        (("run", "--port", "many"), 2),
        (("log", "export"), 2),
        (("log", "checkpoint"), 1),
        (("screen", "nothing.csv", "out.csv"), 2),
        (("screen", "README.md", "out.csv"), 1),
        (("screen", "verify", "README.md"), 1),
    ],
)
def test_errors_are_spelled_alike_whoever_found_them(command, arguments, code):
    done = command(*arguments)
    assert done.returncode == code
    assert done.stdout == ""
    assert [line for line in done.stderr.splitlines() if line.startswith("error: ")], done.stderr
    assert "Error" not in done.stderr


def test_help_is_no_error(command):
    done = command("log")
    assert "Usage: python -m service log" in done.stderr
    assert "rror: " not in done.stderr
    assert command("log", "--help").returncode == 0


def test_a_service_does_not_start_with_an_altered_model(command, settings):
    path = settings.models / VERSION / MODEL_FILE
    path.write_bytes(path.read_bytes() + b" ")
    result = command("serve", GROUNDS_PORT="18734")
    assert result.returncode == 1
    assert "signature does not fit" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_a_file_of_cases_is_screened_and_recorded(command, settings, tmp_path, suffix):
    cases = tmp_path / "cases.csv"
    cases.write_text(
        "case_ref,parent_mental_health_history,children_in_household,shoe_size\nr-1,yes,2,40\nr-2,,,\nr-3,no,1.0,38\n"
    )
    out = tmp_path / f"screened{suffix}"
    result = command("screen", cases, "--model", settings.models / VERSION, "--out", out)
    assert result.returncode == 0, result.stderr
    assert "ignored: shoe_size" in result.stdout
    rows = read_rows(out)
    assert [row["case_ref"] for row in rows] == ["r-1", "r-2", "r-3"]
    for row in rows:
        shap = [float(value) for name, value in row.items() if name.startswith("shap_")]
        score = float(row["score"])
        assert float(row["score_low"]) <= score <= float(row["score_high"])
        assert 1 / (1 + 2.718281828459045 ** -(float(row["base_value"]) + sum(shap))) == pytest.approx(score, abs=1e-9)
        assert row["prompt"] in ("consider_referral", "seek_information", "no_prompt")
    exported = command("log", "export", "--out", tmp_path / "log.jsonl")
    assert exported.returncode == 0, exported.stderr
    assert '\\"kind\\":\\"batch\\"' in (tmp_path / "log.jsonl").read_text()
    assert command("log", "verify").returncode == 0


def read_rows(path):
    if path.suffix == ".parquet":
        import pyarrow.parquet

        return pyarrow.parquet.read_table(path).to_pylist()
    import gzip

    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return list(csv.DictReader(file))


def test_a_bad_file_names_lines_and_columns_and_writes_nothing(command, settings, tmp_path):
    cases = tmp_path / "cases.csv"
    cases.write_text("case_ref,parent_mental_health_history,children_in_household\nr-1,maybe,2\n943 476 5919,no,two\n")
    result = command("screen", cases, "--model", settings.models / VERSION, "--out", tmp_path / "out.csv")
    assert result.returncode == 1
    assert "line 2, column parent_mental_health_history" in result.stderr
    assert "line 3, column case_ref: looks like an NHS number" in result.stderr
    assert "line 3, column children_in_household" in result.stderr
    assert "maybe" not in result.stderr
    assert "943" not in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cases.csv", "var"]


def test_every_setting_is_in_the_operators_guide():
    from pathlib import Path

    from service.settings import Settings

    guide = (Path(__file__).parents[2] / "docs/how-to/operator.md").read_text()
    for name in Settings.__slots__:
        variable = {"origin": "LOG_ORIGIN", "database_url": "LOG_DATABASE"}.get(name, name.upper())
        assert f"`GROUNDS_{variable}`" in guide


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("GROUNDS_VAR", str(tmp_path))
    assert read_settings().log_database == tmp_path / "log" / "log.sqlite"
    monkeypatch.setenv("GROUNDS_THREADS", "0")
    with pytest.raises(SettingsError, match="GROUNDS_THREADS"):
        read_settings()


def test_two_starts_are_two_entries_and_one_activation(settings):
    from service.running.assembly import open_log, prepare

    prepare(settings)
    prepare(settings)
    log = open_log(settings)
    kinds = [entry.kind for entry in log.entries(0, log.size())]
    started = json.loads(log.latest_of_kind("service_started").payload)
    log.close()
    assert kinds == ["model_activated", "service_started", "service_started"]
    assert len(started["configuration_sha256"]) == 64


def test_replay_says_by_its_exit_code_whether_all_agree(command, service):
    nothing = command("log", "replay", GROUNDS_VAR="nowhere")
    assert nothing.returncode == 2
    assert nothing.stderr.startswith("error: nowhere/models: no such folder")
    service.screen({"child_stage": "newborn"})
    origin = {"GROUNDS_LOG_ORIGIN": service.settings.origin}
    agreed = command("log", "replay", **origin)
    assert agreed.returncode == 0, agreed.stderr
    assert "1 agree to the byte" in agreed.stdout
    (service.released.folder / MODEL_FILE).unlink()
    assert command("log", "replay", **origin).returncode == 1
