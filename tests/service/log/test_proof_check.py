from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.log.checkpoint import SigningKey, create_signing_key
from service.log.commands import log_commands
from service.log.store import LogStore, Receipt


@pytest.fixture
def given(open_store, tmp_path: Path) -> list[Receipt]:
    """Seven receipts, and `proof.json` of the fourth."""
    store: LogStore = open_store()
    receipts = [store.append("screening", b'{"n":%d}' % number) for number in range(7)]
    store.close()
    proof = CliRunner().invoke(log_commands(open_store, open_store), ["prove", receipts[3].entry_id])
    (tmp_path / "proof.json").write_text(proof.stdout)
    return receipts


def write_record(path: Path, receipt: Receipt, key: SigningKey) -> None:
    said = {"log": key.name, "index": receipt.index, "leaf_hash": receipt.leaf_hash, "checkpoint": receipt.checkpoint}
    path.write_text(json.dumps({"record": said}))


def check(folder: Path, *more: str) -> Result:
    arguments = ["check-proof", str(folder / "proof.json"), "--key", str(folder / "log.pub"), *more]
    return CliRunner().invoke(log_commands(pytest.fail, pytest.fail), arguments)


def test_a_receipt_a_proof_and_a_key_give_a_verdict(given: list[Receipt], tmp_path: Path, key: SigningKey) -> None:
    write_record(tmp_path / "answer.json", given[3], key)
    for more in ([], ["--record", str(tmp_path / "answer.json")]):
        result = check(tmp_path, *more)
        assert (result.exit_code, result.stdout) == (0, "proved: entry 3 is in the signed log of 7 entries\n")


def test_a_proof_of_another_entry_is_refused(given: list[Receipt], tmp_path: Path, key: SigningKey) -> None:
    write_record(tmp_path / "answer.json", given[2], key)
    result = check(tmp_path, "--record", str(tmp_path / "answer.json"))
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "another entry" in result.stderr


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"index": 2}, "not in the signed log"),
        ({"index": True}, "index"),
        ({"leaf": "x"}, "not that of its leaf"),
        ({"leaf_hash": "00" * 32, "leaf": None}, "not that of its leaf"),
        ({"leaf_hash": None}, "hexadecimal"),
        ({"proof": []}, "not in the signed log"),
        ({"proof": "x"}, "hexadecimal"),
        ({"checkpoint": "x"}, "signed note"),
        ({"checkpoint": 1}, "checkpoint"),
    ],
)
def test_a_changed_proof_is_one_line(given: list[Receipt], tmp_path: Path, change: dict, what: str) -> None:
    proof = tmp_path / "proof.json"
    proof.write_text(json.dumps({**json.loads(proof.read_text()), **change}))
    result = check(tmp_path)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("error: ")
    assert what in result.stderr


def test_another_log_or_key_is_refused(given: list[Receipt], tmp_path: Path, key: SigningKey) -> None:
    create_signing_key(tmp_path / "other.pem", key.name)
    assert "not signed by this key" in check(tmp_path, "--key", str(tmp_path / "other.pub")).stderr
    foreign = create_signing_key(tmp_path / "foreign.pem", "other.invalid")
    write_record(tmp_path / "answer.json", given[3], foreign)
    assert "another name" in check(tmp_path, "--record", str(tmp_path / "answer.json")).stderr
    (tmp_path / "proof.json").write_text("no proof")
    assert "log prove" in check(tmp_path).stderr
