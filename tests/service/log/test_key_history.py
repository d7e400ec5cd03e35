"""Changes of the log's key: what is proved is followed, forward and back; a jump that no old key signed is accused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.log.checkpoint import SigningKey, VerifierKey, create_signing_key
from service.log.key_history import KeyChangeError, change_payload, read_change
from service.log.merkle import Frontier, leaf_hash
from service.log.verifier import Report, verify
from service.log.verify_command import read_checkpoints

GOLDEN = Path(__file__).parents[2] / "golden" / "log"
ORIGIN = "test.invalid/log"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> list[SigningKey]:
    folder = tmp_path_factory.mktemp("keys")
    return [create_signing_key(folder / f"{number}.pem", ORIGIN) for number in range(4)]


class Growing:
    """A log built by hand whose key changes where it is told to."""

    def __init__(self, forge, key: SigningKey) -> None:
        self.forge, self.key, self.entries, self.frontier = forge, key, [], Frontier()
        self.notes = [key.sign(0, self.frontier.root())]

    def add(self, payload: str = "{}", kind: str = "screening") -> None:
        entry = self.forge.entry(len(self.entries), payload, kind)
        self.entries.append(entry)
        self.frontier.append(leaf_hash(entry["leaf"].encode()))
        self.notes.append(self.key.sign(self.frontier.size, self.frontier.root()))

    def change(self, following: SigningKey, signed_by: SigningKey | None = None) -> None:
        stated = change_payload(signed_by or self.key, following, self.frontier.size, self.frontier.root())
        self.key = following
        self.add(stated.decode(), "key_created")

    def verify(self, key: SigningKey, since: list[str] = ()) -> Report:
        header = {"format": 1, "origin": ORIGIN, "size": len(self.entries)}
        lines = [header, *self.entries, {"checkpoint": self.notes[-1]}]
        return verify([json.dumps(line) for line in lines], key.verifier, since)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_every_key_of_the_chain_verifies_the_log_and_all_its_checkpoints(forge, keys, runs: list[int]) -> None:
    log = Growing(forge, keys[0])
    for number, run in enumerate(runs):
        if number:
            log.change(keys[number])
        for _ in range(run):
            log.add()
    for key in keys[: len(runs)]:
        report = log.verify(key, log.notes)
        assert report.problems == []
        assert report.keys.in_force(len(log.entries)).text == keys[len(runs) - 1].verifier.text
        assert any("key changed" in caveat for caveat in report.caveats) is (len(runs) > 1)
    if len(runs) < 4:
        assert not log.verify(keys[3], log.notes).ok


def test_a_new_key_that_the_old_one_did_not_sign_is_accused(forge, keys) -> None:
    log = Growing(forge, keys[0])
    log.add()
    log.change(keys[1], signed_by=keys[2])
    log.add()
    report = log.verify(keys[0])
    assert [problem.index for problem in report.problems if problem.index is not None] == [1]
    assert "none that this log ever had" in str(report.problems)


def test_a_jump_in_the_middle_of_the_chain_is_accused(forge, keys) -> None:
    log = Growing(forge, keys[0])
    log.change(keys[1])
    log.change(keys[2], signed_by=keys[3])
    report = log.verify(keys[0])
    assert report.problems[-1].index == 1
    assert "from a key that did not sign the log before" in report.problems[-1].text


def test_a_log_that_simply_goes_on_under_another_key_is_accused(forge, keys) -> None:
    log = Growing(forge, keys[0])
    log.add()
    log.key = keys[1]
    log.add()
    assert [str(problem) for problem in log.verify(keys[0]).problems] == ["the checkpoint is not signed by this key"]


def test_the_old_key_signs_no_checkpoint_after_the_change(forge, keys) -> None:
    log = Growing(forge, keys[0])
    log.change(keys[1])
    log.add()
    late = keys[0].sign(2, log.frontier.root())
    report = log.verify(keys[0], [late])
    assert "proves nothing" in report.problems[0].text


def test_a_statement_holds_for_its_place_log_and_key_alone(forge, keys) -> None:
    root = bytes(32)
    payload = change_payload(keys[0], keys[1], 5, root)
    change = read_change(payload, 5, root)
    assert (change.index, change.previous.text, change.following.text) == (
        5, keys[0].verifier.text, keys[1].verifier.text
    )  # fmt: skip
    for index, other in ((4, root), (5, bytes(31) + b"\x01")):
        with pytest.raises(KeyChangeError, match="another place"):
            read_change(payload, index, other)
    said = json.loads(payload)
    for name in ("previous", "verifier_key"):
        with pytest.raises(KeyChangeError, match="signed"):
            read_change(json.dumps({**said, name: keys[2].verifier.text}), 5, root)
    body, signatures = said["statement"].split("\n\n")
    for line, whose in ((0, "the new key"), (1, "the key before")):
        half = f"{body}\n\n{signatures.splitlines()[line]}\n"
        with pytest.raises(KeyChangeError, match=whose):
            read_change(json.dumps({**said, "statement": half}), 5, root)
    for malformed in ({**said, "more": 1}, {**said, "previous": 1}):
        with pytest.raises(KeyChangeError, match="form"):
            read_change(json.dumps(malformed), 5, root)
    with pytest.raises(KeyChangeError, match="name both keys"):
        read_change(json.dumps({**said, "previous": "x"}), 5, root)


@pytest.mark.parametrize("payload", ["{}", "[]", "x", '{"purpose":"practitioner"}', '{"purpose":null}'])
def test_other_keys_are_none_of_the_logs_business(payload: str) -> None:
    assert read_change(payload, 0, bytes(32)) is None


def test_a_key_with_the_name_of_another_log_takes_nothing_over(forge, keys, tmp_path: Path) -> None:
    other = create_signing_key(tmp_path / "other.pem", "other.invalid/log")
    log = Growing(forge, keys[0])
    log.change(other)
    assert "not signed by the new key" in str(log.verify(keys[0]).problems)


@pytest.mark.parametrize("end", ["first", "last"])
def test_the_golden_export_with_two_changes_of_keys_still_verifies(end: str) -> None:
    key = VerifierKey.parse((GOLDEN / f"format-1-keys.{end}.pub").read_text())
    notes = read_checkpoints(GOLDEN / "format-1-keys.checkpoints")
    with (GOLDEN / "format-1-keys.jsonl").open("rb") as lines:
        report = verify(lines, key, notes)
    assert report.problems == []
    assert [change.index for change in report.keys.changes] == [2, 5]
    assert (report.size, len(notes)) == (8, 8)
