from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pysqlite3
import pytest
from click.testing import CliRunner, Result

from service.log.checkpoint import SigningKey, VerifierKey, create_signing_key
from service.log.commands import log_commands
from service.log.entry import uuid7
from service.log.merkle import leaf_hash, verify_inclusion
from service.log.publisher import CheckpointPublisher
from service.log.schema import LogError
from service.log.store import LogStore

Run = Callable[..., Result]


@pytest.fixture
def run(open_store: Callable[..., LogStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    group = log_commands(open_store, open_store)
    return lambda *arguments: CliRunner().invoke(group, list(arguments))


@pytest.fixture
def filled(open_store: Callable[..., LogStore], tmp_path: Path) -> list[str]:
    """Five entries with published checkpoints; gives their ids."""
    store = open_store()
    publisher = CheckpointPublisher(store, tmp_path / "published", pytest.fail)
    ids = []
    for number in range(5):
        ids.append(store.append("screening", b'{"n":%d}' % number).entry_id)
        publisher.publish()
    publisher.stop()
    store.close()
    return ids


def one_line(result: Result) -> str:
    lines = result.stderr.splitlines()
    assert lines[0].startswith("error: ") or lines[-1].startswith("error: ")
    assert "Traceback" not in result.output
    return lines[-1]


def test_the_live_log_verifies(run: Run, filled: list[str]) -> None:
    result = run("verify")
    assert result.exit_code == 0, result.output
    assert "verified: 5 entries" in result.stdout
    assert "note: without an earlier checkpoint" in result.stdout
    result = run("verify", "--since", "published/checkpoints")
    assert result.exit_code == 0, result.output
    assert "note:" not in result.stdout


def test_an_export_verifies_offline(run: Run, filled: list[str], tmp_path: Path) -> None:
    assert "exported 5 entries" in run("export", "--out", "log.jsonl").stdout
    for since in ("published/checkpoint", "published/checkpoints"):
        result = run("verify", "log.jsonl", "--key", "log.pub", "--since", since)
        assert result.exit_code == 0, result.output
    assert (tmp_path / "log.jsonl").stat().st_mode & 0o077 == 0
    streamed = run("export", "--out", "-").stdout.splitlines()
    assert streamed[1:6] == (tmp_path / "log.jsonl").read_text().splitlines()[1:6]
    assert '"kind\\":\\"export' in streamed[6]  # the export to the file is an entry


def test_a_tampered_export_is_one_line_and_exit_code_1(run: Run, filled: list[str], tmp_path: Path) -> None:
    run("export", "--out", "log.jsonl")
    export = tmp_path / "log.jsonl"
    export.write_text(export.read_text().replace('{\\"n\\":3}', '{\\"n\\":4}'))
    result = run("verify", "log.jsonl", "--key", "log.pub")
    assert result.exit_code == 1
    assert one_line(result) == (
        "error: the log does not verify: entry 3: its payload is not the one that its leaf commits to"
    )


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("UPDATE log_entry SET payload = X'00' WHERE idx = 2", "entry 2: only one of its payload and salt"),
        ("UPDATE log_entry SET kind = 'refusal' WHERE idx = 2", "entry 2: its id, kind or time"),
        ("UPDATE log_entry SET leaf = leaf_hash WHERE idx = 2", "entry 2: its leaf"),
        ("UPDATE log_entry SET leaf = 'text' WHERE idx = 2", "entry 2: its leaf"),
        (
            "UPDATE log_entry SET leaf = CAST(leaf AS TEXT) WHERE idx = 2",
            "entry 2: there is text, or",
        ),
        ("UPDATE log_entry SET salt = 'text' WHERE idx = 2", "entry 2: its payload is not the one"),
        ("DELETE FROM log_entry WHERE idx = 2", "entry 2: line 4 has another index"),
        ("DELETE FROM log_entry WHERE idx = 4", "the checkpoint covers 5 entries"),
        ("UPDATE log_checkpoint SET text = replace(text, 'test', 'text') WHERE size = 5", "another name or key"),
    ],
)
def test_a_tampered_live_log_is_named(run: Run, filled: list[str], tmp_path: Path, sql: str, what: str) -> None:
    with pysqlite3.connect(tmp_path / "log.sqlite") as connection:
        connection.execute(sql)
    connection.close()
    result = run("verify")
    assert result.exit_code == 1
    one_line(result)
    assert what in result.stderr


def test_a_log_made_anew_is_found_by_what_was_published(run: Run, filled: list[str], tmp_path: Path) -> None:
    for file in tmp_path.glob("log.sqlite*"):
        file.unlink()
    assert run("verify").exit_code == 0
    result = run("verify", "--since", "published/checkpoints")
    assert result.exit_code == 1
    assert "shorter than the earlier checkpoint of 1 entries" in result.stderr


def test_prove_prints_a_proof_that_holds(run: Run, filled: list[str]) -> None:
    for index, entry_id in enumerate(filled):
        proof = json.loads(run("prove", entry_id.upper()).stdout)
        checkpoint = VerifierKey.parse(proof["key"]).open(proof["checkpoint"])
        path = [bytes.fromhex(node) for node in proof["proof"]]
        hashed = leaf_hash(proof["leaf"].encode())
        assert (proof["index"], proof["leaf_hash"]) == (index, hashed.hex())
        assert verify_inclusion(hashed, index, checkpoint.size, path, checkpoint.root)
        assert entry_id in proof["leaf"]


def test_checkpoint_prints_the_newest(run: Run, filled: list[str], tmp_path: Path) -> None:
    assert run("checkpoint").stdout == (tmp_path / "published" / "checkpoint").read_text()


def test_what_is_not_there_is_one_line(run: Run, filled: list[str]) -> None:
    result = run("prove", uuid7())
    assert result.exit_code == 1
    assert one_line(result) == "error: there is no entry of that id in the log"


def test_bad_usage_is_exit_code_2(run: Run, filled: list[str]) -> None:
    run("export", "--out", "log.jsonl")
    for arguments in (["verify", "log.jsonl"], ["verify", "missing.jsonl", "--key", "log.pub"], ["export"], ["prove"]):
        assert run(*arguments).exit_code == 2


def test_a_wrong_key_or_since_file_is_one_line(run: Run, filled: list[str], tmp_path: Path) -> None:
    run("export", "--out", "log.jsonl")
    other = create_signing_key(tmp_path / "other.pem", "test.invalid/log")
    (tmp_path / "other.checkpoint").write_text(other.sign(1, bytes(32)))
    (tmp_path / "empty").write_text("{}\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for arguments in (
        ["--key", "other.pub"],
        ["--key", "log.jsonl"],
        ["--key", "binary"],
        ["--key", "log.pub", "--since", "other.checkpoint"],
        ["--key", "log.pub", "--since", "empty"],
        ["--key", "log.pub", "--since", "log.pub"],
    ):
        result = run("verify", "log.jsonl", *arguments)
        assert result.exit_code == 1
        one_line(result)


def test_half_a_line_among_the_published_is_passed_over_aloud(run: Run, filled: list[str], tmp_path: Path) -> None:
    with (tmp_path / "published" / "checkpoints").open("a") as file:
        file.write('{"checkpo')
    result = run("verify", "--since", "published/checkpoints")
    assert result.exit_code == 0
    assert "warning: " in result.stderr


def test_a_log_that_cannot_be_opened_is_one_line(key: SigningKey) -> None:
    def refuse() -> LogStore:
        raise LogError("no log here")

    result = CliRunner().invoke(log_commands(refuse, refuse), ["verify"])
    assert result.exit_code == 1
    assert one_line(result) == "error: no log here"


def test_an_export_that_fails_leaves_no_half_file(run: Run, filled: list[str], tmp_path: Path) -> None:
    with pysqlite3.connect(tmp_path / "log.sqlite") as connection:
        connection.execute("DROP TABLE log_entry")
    connection.close()
    assert run("export", "--out", "log.jsonl").exit_code == 1
    assert not list(tmp_path.glob("*log.jsonl*"))
