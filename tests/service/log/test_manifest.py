"""Exports as people take them away: formats, manifests, and their entries in the log, from the command line."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pysqlite3
import pytest
from click.testing import CliRunner, Result

from service.log.canonical import canonical_bytes
from service.log.checkpoint import SigningKey
from service.log.commands import log_commands
from service.log.manifest import file_digest
from service.log.store import LogStore

Run = Callable[..., Result]
FORMS = ("jsonl", "csv", "parquet")
SCREENED = {
    "answer": {
        "band": 2,
        "grounds": [{"code": "ground_one"}],
        "model": {"version": "m-1"},
        "prompt": {"level": "no_prompt"},
        "score": 0.03125,
    },
    "asked": {"agency": "gp", "features": {"alpha": "yes", "beta": "not_known"}},
    "caller": {"key_id": "0a0a0a0a", "role": "practitioner"},
}


@pytest.fixture
def run(open_store: Callable[..., LogStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    group = log_commands(open_store, open_store)
    return lambda *arguments: CliRunner().invoke(group, list(arguments))


@pytest.fixture
def filled(open_store: Callable[..., LogStore]) -> LogStore:
    """Seven entries: five screenings between an activation and a refusal."""
    store = open_store()
    store.append("model_activated", canonical_bytes({"model": {"version": "m-1"}}))
    for _ in range(5):
        store.append("screening", canonical_bytes(SCREENED))
    store.append("refusal", canonical_bytes({"caller": SCREENED["caller"], "code": "refused"}))
    return store


def exported(run: Run, form: str, *options: str) -> Path:
    result = run("export", "--format", form, "--out", f"log.{form}", *options)
    assert result.exit_code == 0, result.output
    return Path(f"log.{form}")


def checked(run: Run, export: Path) -> Result:
    return run("verify", str(export), "--key", "log.pub", "--manifest")


@pytest.mark.parametrize("form", FORMS)
def test_a_manifest_ties_a_file_to_a_checkpoint_and_to_its_entry(run: Run, filled: LogStore, form: str) -> None:
    export = exported(run, form)
    manifest = json.loads(Path(f"log.{form}.manifest.json").read_text())
    assert (manifest["from"], manifest["to"], manifest["size"], manifest["entries"]) == (0, 7, 7, 7)
    assert manifest["kinds"] == {"model_activated": 1, "refusal": 1, "screening": 5}
    assert manifest["models"] == ["m-1"]
    entry = filled.get_index(manifest["recorded_at"])
    assert entry is not None
    assert entry.kind == "export"
    said = json.loads(entry.payload or b"")
    assert said["sha256"] == manifest["sha256"] == file_digest(export)
    assert {path.stat().st_mode & 0o077 for path in (export, Path(f"log.{form}.manifest.json"))} == {0}
    result = checked(run, export)
    assert result.exit_code == 0, result.output
    assert "manifest: 7 entries of 7" in result.stdout
    assert ("verified: 7 entries" in result.stdout) == (form == "jsonl")
    assert ("proves nothing by itself" in result.stdout) == (form != "jsonl")


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_was_changed_by_a_byte_is_found(run: Run, filled: LogStore, form: str) -> None:
    export = exported(run, form)
    content = bytearray(export.read_bytes())
    content[len(content) // 2] ^= 1
    export.write_bytes(content)
    result = checked(run, export)
    assert result.exit_code == 1
    assert "is not the file that its manifest tells of" in result.stderr


def alter(**changes: object) -> Callable[[dict], dict]:
    return lambda manifest: {**manifest, **changes}


@pytest.mark.parametrize(
    ("form", "change", "what"),
    [
        ("csv", alter(size=8), "its size"),
        ("csv", alter(entries=6), "its entries"),
        ("csv", alter(kinds={"screening": 7}), "its kinds"),
        ("csv", alter(models=["m-2"]), "its models"),
        ("csv", alter(origin="other.invalid/log"), "its origin"),
        ("csv", alter(to=6), "its to"),
        ("csv", alter(**{"from": 1}), "entry 1 should stand"),
        ("parquet", alter(kinds={}), "its kinds"),
        ("jsonl", alter(models=[]), "its models"),
        ("jsonl", alter(manifest=2), "not a manifest of version 1"),
        ("jsonl", alter(more=1), "not a manifest"),
        ("jsonl", alter(format="csv"), "log.jsonl"),
        ("jsonl", lambda manifest: {}, "not a manifest"),
        ("jsonl", lambda manifest: [], "not a manifest"),
    ],
)
def test_a_manifest_that_was_changed_is_found(
    run: Run, filled: LogStore, form: str, change: Callable, what: str
) -> None:
    export = exported(run, form)
    path = Path(f"log.{form}.manifest.json")
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(change(manifest)))
    result = checked(run, export)
    assert result.exit_code == 1
    assert what in result.stderr
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.output


def test_a_manifest_with_a_checkpoint_by_another_key_or_of_another_size_is_found(
    run: Run, filled: LogStore, key: SigningKey
) -> None:
    export = exported(run, "jsonl")
    path = Path("log.jsonl.manifest.json")
    manifest = json.loads(path.read_text())
    forged = manifest["checkpoint"].replace("\n7\n", "\n8\n")
    for note, size, what in ((forged, 8, "signature"), (filled.checkpoint_at(6), 6, "its to|size|within|checkpoint")):
        path.write_text(json.dumps({**manifest, "checkpoint": note, "size": size}))
        result = checked(run, export)
        assert result.exit_code == 1
        assert any(word in result.stderr for word in what.split("|"))
    other = key.sign(7, bytes(32))  # signed, but not what the file ends with
    path.write_text(json.dumps({**manifest, "checkpoint": other}))
    assert "its checkpoint is not the one in the file" in checked(run, export).stderr


def test_tables_say_of_each_entry_what_the_log_says(run: Run, filled: LogStore) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    with exported(run, "csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    table = parquet.read_table(exported(run, "parquet")).to_pylist()
    for entry, row, record in zip(filled.entries(0, 7), rows, table, strict=False):
        assert int(row["index"]) == record["index"] == entry.index
        assert row["payload"] == record["payload"] == (entry.payload or b"").decode()
        assert row["leaf_hash"] == record["leaf_hash"] == entry.leaf_hash
    assert (rows[1]["score"], rows[1]["band"], rows[1]["features"], rows[1]["grounds"]) == (
        "0.03125",
        "2",
        "alpha",
        "ground_one",
    )
    assert (table[1]["score"], table[1]["band"], table[1]["features"]) == (0.03125, 2, ["alpha"])
    assert len(rows) == 7
    assert len(table) == 8  # the first export is an entry of the second
    assert table[7]["kind"] == "export"


def test_parquet_without_pyarrow_is_one_line_and_no_file(
    run: Run, filled: LogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = run("export", "--format", "parquet", "--out", "log.parquet")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: Parquet needs pyarrow")
    assert len(result.stderr.splitlines()) == 1
    assert not list(Path().glob("*log.parquet*"))
    assert filled.size() == 7


def test_no_file_where_the_export_cannot_be_recorded(run: Run, filled: LogStore, tmp_path: Path) -> None:
    connection = pysqlite3.connect(str(tmp_path / "log.sqlite"))
    connection.execute("CREATE TRIGGER full BEFORE INSERT ON log_entry BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    connection.commit()
    connection.close()
    for out in ("log.csv", "-"):
        result = run("export", "--out", out)
        assert result.exit_code == 1
        assert "error: no export was made" in result.stderr
        assert result.stdout == ""
    assert not list(Path().glob("*log.csv*"))


def test_a_damaged_log_is_exported_with_a_manifest_and_then_named(run: Run, filled: LogStore, tmp_path: Path) -> None:
    connection = pysqlite3.connect(str(tmp_path / "log.sqlite"))
    connection.execute("UPDATE log_entry SET leaf = leaf_hash WHERE idx = 2")
    connection.commit()
    connection.close()
    export = exported(run, "jsonl")
    assert json.loads(Path("log.jsonl.manifest.json").read_text())["kinds"]["unreadable"] == 1
    result = checked(run, export)
    assert result.exit_code == 1
    assert "entry 2: its leaf" in result.stderr
    refused = run("export", "--format", "csv", "--out", "log.csv")
    assert refused.exit_code == 1
    assert "entry 2 of the log is damaged" in refused.stderr


def test_usage_that_makes_no_sense_is_exit_code_2(run: Run, filled: LogStore) -> None:
    assert run("export", "--out", "-", "--format", "csv").exit_code == 2
    assert run("verify", "--manifest").exit_code == 2
    exported(run, "csv")
    Path("log.csv.manifest.json").unlink()
    result = checked(run, Path("log.csv"))
    assert result.exit_code == 1
    assert "log.csv.manifest.json" in result.stderr
