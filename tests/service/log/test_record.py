"""A receipt is checked against an export: it is of the entry at its index, or the log is accused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from service.log.commands import log_commands
from service.log.merkle import leaf_hash
from service.log.record import Record, RecordError, read_record


def record_of(forge, entries: list[dict], index: int) -> dict:
    return {
        "log": forge.key.name,
        "index": index,
        "leaf_hash": leaf_hash(entries[index]["leaf"].encode()).hex(),
        "checkpoint": forge.export(entries[: index + 1])[-1]["checkpoint"],
    }


@pytest.fixture
def files(forge, entries: list[dict], tmp_path: Path) -> Path:
    lines = [json.dumps(line) for line in forge.export(entries)]
    (tmp_path / "log.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "log.pub").write_text(forge.key.verifier.text)
    (tmp_path / "answer.json").write_text(json.dumps({"score": 0.1, "record": record_of(forge, entries, 4)}))
    (tmp_path / "record.json").write_text(json.dumps(record_of(forge, entries, 10)))
    return tmp_path


def run(folder: Path, *records: str):
    given = [part for name in records for part in ("--record", str(folder / name))]
    return CliRunner().invoke(
        log_commands(pytest.fail, pytest.fail),
        ["verify", str(folder / "log.jsonl"), "--key", str(folder / "log.pub"), *given],
    )


def test_receipts_of_entries_are_confirmed(files: Path) -> None:
    result = run(files, "answer.json", "record.json")
    assert result.exit_code == 0, result.output
    assert "records: 2 are of entries of this log" in result.stdout
    assert "note:" not in result.stdout


def test_a_log_rewritten_after_the_receipt_was_given_is_found(files: Path, forge, entries: list[dict]) -> None:
    rewritten = [*entries[:4], forge.entry(4, '{"a":"rewritten"}'), *entries[5:]]
    (files / "log.jsonl").write_text("\n".join(json.dumps(line) for line in forge.export(rewritten)))
    result = run(files, "answer.json")
    assert result.exit_code == 1
    assert "entry 4: is not the entry that the record (receipt) was given for" in result.stderr
    assert "entries 0 to 4 are not those" in result.stderr


def test_a_log_that_ends_before_the_receipt_is_found(files: Path, forge, entries: list[dict]) -> None:
    (files / "log.jsonl").write_text("\n".join(json.dumps(line) for line in forge.export(entries[:6])))
    result = run(files, "answer.json", "record.json")
    assert result.exit_code == 1
    assert "entry 6: the log ends here, and there is a record (receipt) of its entry 10" in result.stderr


def test_a_receipt_that_the_log_never_signed_proves_nothing(files: Path, forge, entries: list[dict]) -> None:
    record = record_of(forge, entries, 4)
    body = record["checkpoint"].partition("\n\n")[0]
    record["checkpoint"] = f"{body}\n\n— {forge.key.name} {'A' * 88}AAA=\n"
    (files / "answer.json").write_text(json.dumps(record))
    result = run(files, "answer.json")
    assert result.exit_code == 1
    assert "proves nothing" in result.stderr


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"index": True}, "index"),
        ({"index": "4"}, "index"),
        ({"index": -1}, "index"),
        ({"leaf_hash": "zz"}, "leaf_hash"),
        ({"checkpoint": "x"}, "checkpoint"),
        ({"index": 99}, "cover"),
        ({"log": None}, "log"),
    ],
)
def test_a_malformed_record_is_one_line(files: Path, forge, entries: list[dict], change: dict, what: str) -> None:
    record = {**record_of(forge, entries, 4), **change}
    with pytest.raises(RecordError, match=what):
        read_record(json.dumps(record))
    (files / "answer.json").write_text(json.dumps({"record": record}))
    result = run(files, "answer.json")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("text", ["", "[]", "1", "{}", '{"record":1}'])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(RecordError):
        read_record(text)


def test_a_record_reads_as_it_was_given(forge, entries: list[dict]) -> None:
    record = record_of(forge, entries, 4)
    assert read_record(json.dumps(record)) == Record(**record)
