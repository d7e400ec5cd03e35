"""What was logged is what its model gives, to the byte; and where it is not, the digit is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from service.log.checkpoint import VerifierKey
from service.log.verifier import verify
from service.replay.source import draw
from tests.service.log.replaying import GOLDEN, REPLAY, Run, altered, golden, runner


@pytest.fixture
def run(settings) -> Run:
    return runner(settings)


def test_golden_screenings_of_format_1_replay_to_the_byte(run: Run) -> None:
    """If this fails, answers of format 1 can no longer be worked out again: see service/replay/formats.py."""
    with (REPLAY / "log.jsonl").open("rb") as lines:
        assert verify(lines, VerifierKey.parse((REPLAY / "log.pub").read_text())).ok
    result = golden(run, REPLAY / "log.jsonl")
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        "6 screenings, 1 models: 6 agree to the byte; 0 differ; 0 erased, so not replayed; "
        "0 without their model; 0 not readable\n"
    )


def test_the_golden_log_of_all_kinds_is_read_and_what_was_erased_is_counted(run: Run) -> None:
    result = golden(run, GOLDEN / "format-1.jsonl")
    assert result.exit_code == 1
    assert "(01a2055f-ef1e-74ec-b3e4-547376fcda32): its payload is not that of a screening of format 1" in result.stdout
    assert "2 screenings, 0 models: 0 agree to the byte; 0 differ; 1 erased" in result.stdout


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ('"score":0.', '"score":0.9', "entry 2 ({id}): score: logged 0.9{rest}, replayed 0.{rest}"),
        ('"band":', '"band":1', "entry 2 ({id}): band: logged 1{rest}, replayed {rest}"),
        ('"text":"Important', '"text":"important', 'entry 2 ({id}): prompt.text: logged "important'),
    ],
)
def test_one_altered_part_of_an_answer_is_named_to_the_digit(
    run: Run, tmp_path: Path, before: str, after: str, named: str
) -> None:
    shutil.copy(REPLAY / "log.jsonl", tmp_path / "log.jsonl")
    seen = {}

    def change(index: int, line: dict) -> None:
        if index == 2:
            assert line["payload"].count(before) >= 1
            rest = line["payload"].split(before, 1)[1]
            seen["rest"] = rest[: min(rest.find(end) for end in (",", "}") if end in rest)]
            seen["id"] = json.loads(line["leaf"])["entry"]
            line["payload"] = line["payload"].replace(before, after, 1)

    copy = altered(tmp_path / "log.jsonl", change)
    result = golden(run, copy)
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 2
    assert result.stdout.startswith(named.format(**seen))
    assert "5 agree to the byte; 1 differ" in result.stdout
    assert golden(run, copy, "--from", 3).exit_code == 0
    assert golden(run, copy, "--from", 2, "--to", 2).exit_code == 1
    assert golden(run, copy, "--entry", seen["id"].upper()).exit_code == 1


def test_one_altered_contribution_is_named_by_its_feature_and_nothing_that_agrees_is_shown(
    run: Run, tmp_path: Path
) -> None:
    shutil.copy(REPLAY / "log.jsonl", tmp_path / "log.jsonl")
    logged = []

    def change(index: int, line: dict) -> None:
        if index == 0:
            payload = json.loads(line["payload"])
            row = next(r for r in payload["answer"]["explanation"]["contributions"] if r["feature"] == "visits")
            logged.append(row["contribution"])
            row["contribution"] += 1e-15
            logged.append(row["contribution"])
            line["payload"] = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))

    result = golden(run, altered(tmp_path / "log.jsonl", change))
    assert result.exit_code == 1
    right, wrong = logged
    assert f"explanation.contributions[visits].contribution: logged {wrong!r}, replayed {right!r}\n" in result.stdout
    assert len(result.stdout.splitlines()) == 2
    assert "case-" not in result.output
    assert "12.5" not in result.output


def test_the_same_answer_in_other_bytes_does_not_agree(run: Run, tmp_path: Path) -> None:
    shutil.copy(REPLAY / "log.jsonl", tmp_path / "log.jsonl")

    def change(index: int, line: dict) -> None:
        line["payload"] = line["payload"].replace('"answer":{', '"answer": {', 1 if index == 4 else 0)

    result = golden(run, altered(tmp_path / "log.jsonl", change))
    assert result.exit_code == 1
    assert "says the same in other bytes" in result.stdout


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda line: line.update(payload='{"answer":{}}'), "is not that of a screening of format 1"),
        (lambda line: line.update(payload="not JSON"), "is not that of a screening of format 1"),
        (lambda line: line.update(payload=None), "its payload cannot be read; verify the log"),
        (lambda line: line.update(leaf=line["leaf"].replace('"format":1', '"format":7')), "has format 7, which this"),
        (lambda line: line.update(leaf="garbage"), "its leaf cannot be read"),
        (
            lambda line: line.update(payload=line["payload"].replace('"history":"yes"', '"history":"Mary"')),
            "its logged input is not one that its model can read",
        ),
        (
            lambda line: line.update(payload=line["payload"].replace('"model_sha256":"', '"model_sha256":"0')),
            "its model is not in the archive",
        ),
    ],
)
def test_what_cannot_be_replayed_is_listed_without_case_data(
    run: Run, tmp_path: Path, change: Callable[[dict], None], said: str
) -> None:
    shutil.copy(REPLAY / "log.jsonl", tmp_path / "log.jsonl")
    copy = altered(tmp_path / "log.jsonl", lambda index, line: change(line) if index == 3 else None)
    result = golden(run, copy)
    assert result.exit_code == 1
    assert result.stdout.startswith("entry 3 (")
    assert said in result.stdout
    assert "5 agree to the byte" in result.stdout
    assert "Mary" not in result.output
    assert "Traceback" not in result.output


def test_an_erased_payload_is_counted_and_no_fault(run: Run, tmp_path: Path) -> None:
    shutil.copy(REPLAY / "log.jsonl", tmp_path / "log.jsonl")
    copy = altered(
        tmp_path / "log.jsonl", lambda index, line: line.update(payload=None, salt=None) if index == 1 else None
    )
    result = golden(run, copy)
    assert result.exit_code == 0
    assert "5 agree to the byte; 0 differ; 1 erased" in result.stdout


def test_a_sample_is_the_same_for_the_same_seed_and_only_the_sample_is_replayed(run: Run, tmp_path: Path) -> None:
    shutil.copy(REPLAY / "log.jsonl", tmp_path / "log.jsonl")
    ids = [
        json.loads(json.loads(line)["leaf"])["entry"] for line in (REPLAY / "log.jsonl").read_text().splitlines()[1:-1]
    ]
    for seed in (0, 1, 2):
        drawn = sorted(range(6), key=lambda index: draw(seed, ids[index]))[:2]
        copy = altered(
            tmp_path / "log.jsonl",
            lambda index, line, drawn=drawn: None if index in drawn else line.update(payload="never read"),
        )
        result = golden(run, copy, "--sample", 2, "--seed", seed)
        assert result.exit_code == 0, result.output
        assert "2 screenings, 1 models: 2 agree" in result.stdout
    assert golden(run, copy, "--sample", 6, "--seed", 2).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--export", REPLAY / "log.pub"), "line 1 is not a JSON object"),
        (("--export", REPLAY / "models" / "golden-1" / "model.sig.json"), "line 1 is not a JSON object"),
        (("--export", REPLAY / "log.jsonl", "--models", "nowhere"), "nowhere: no such folder"),
        (("--export", REPLAY / "log.jsonl", "--from", 6), "the log has 6, from 0 on"),
        (("--export", REPLAY / "log.jsonl", "--entry", "nothing"), "no entry of that id"),
        (("--export", REPLAY / "log.jsonl", "--entry", "x", "--sample", 2), "leave out --from, --to and --sample"),
        (("--export", REPLAY / "log.jsonl", "--key", REPLAY / "log.pub"), "either an export is replayed or a database"),
        (("--key", REPLAY / "log.pub"), "--key goes with --database"),
        (("--sample", 0), "0 is not in the range"),
    ],
)
def test_a_replay_that_cannot_be_run_is_one_line_and_exit_code_2(
    run: Run, arguments: tuple[object, ...], said: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_an_export_that_was_cut_short_is_refused(run: Run, tmp_path: Path) -> None:
    lines = (REPLAY / "log.jsonl").read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(lines[:5]))
    result = golden(run, cut)
    assert result.exit_code == 2
    assert "cut short" in result.stderr
    assert golden(run, cut, "--to", 2).exit_code == 0
    cut.write_bytes(b"".join(lines[:5]) + lines[5][:40])
    assert "line 6 is not a JSON object" in golden(run, cut).stderr
