"""Parts of a log, and consistency proofs: verified by themselves, found where tampered with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.log.commands import log_commands
from service.log.export import export_lines, span_of
from service.log.part_verifier import verify_part
from service.log.store import LogStore

Run = Callable[..., Result]


@pytest.fixture
def run(open_store: Callable[..., LogStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    group = log_commands(open_store, open_store)
    return lambda *arguments: CliRunner().invoke(group, list(arguments))


@pytest.fixture
def filled(open_store: Callable[..., LogStore]) -> LogStore:
    """Seven entries."""
    store = open_store()
    for number in range(7):
        store.append("screening", b'{"n":%d}' % number)
    return store


def test_every_part_verifies(filled: LogStore) -> None:
    for start in range(8):
        for stop in range(start, 8):
            span = span_of(filled, start, stop)
            if not span.whole:
                report = verify_part(export_lines(filled, span=span), filled.verifier_key)
                assert report.ok, (start, stop, report.problems)
                assert report.size == stop - start
                assert report.checkpoint is not None
                assert report.checkpoint.size == 7


def test_a_part_verifies_from_the_command_line(run: Run, filled: LogStore) -> None:
    export = Path("log.jsonl")
    assert run("export", "--out", str(export), "--from", "2", "--to", "5").exit_code == 0
    result = run("verify", str(export), "--key", "log.pub", "--manifest")
    assert result.exit_code == 0, result.output
    assert "manifest: 3 entries of 7" in result.stdout
    assert "verified: 3 entries" in result.stdout
    assert "this is a part of the log" in result.stdout
    result = run("export", "--out", "log.jsonl", "--from", "2", "--to", "99")
    assert (result.exit_code, result.stderr.split(":")[0]) == (1, "error")


def part(filled: LogStore) -> list[dict]:
    return [json.loads(line) for line in export_lines(filled, span=span_of(filled, 2, 5))]


def drop(at: int) -> Callable[[list], list]:
    return lambda lines: lines[:at] + lines[at + 1 :]


def changed(at: int, **fields: object) -> Callable[[list], list]:
    return lambda lines: [*lines[:at], {**lines[at], **fields}, *lines[at + 1 :]]


@pytest.mark.parametrize(
    "tamper",
    [
        drop(0),
        drop(1),
        drop(2),
        drop(3),
        drop(4),
        lambda lines: [],
        lambda lines: [*lines, lines[1]],
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        lambda lines: [*lines[:2], lines[1], *lines[2:]],
        changed(0, size=8),
        changed(0, to=4),
        changed(0, to=6),
        changed(0, after=[]),
        changed(0, before=["0" * 64]),
        changed(0, before="x"),
        changed(0, after=["0" * 64] * 2),
        changed(0, origin="other.invalid/log"),
        changed(0, format=2),
        changed(0, format=True),
        changed(1, index=3),
        changed(1, payload='{"a":1}'),
        changed(1, payload=None),
        changed(1, salt="00"),
        changed(1, salt=" " * 32),
        changed(1, leaf="{}"),
        changed(2, leaf=None),
        changed(4, checkpoint="none"),
        lambda lines: [{**lines[0], "from": 1, "to": 4}, *lines[1:]],
    ],
)
def test_a_part_that_was_tampered_with_is_found(filled: LogStore, tamper: Callable) -> None:
    lines = [json.dumps(line).encode() for line in tamper(part(filled))]
    assert not verify_part(lines, filled.verifier_key).ok


def test_consistency_is_proved_and_checked_from_the_command_line(run: Run, filled: LogStore) -> None:
    Path("kept").write_text(filled.checkpoint_at(3) or "")
    for later in ([], ["6"]):
        Path("proof.json").write_text(run("prove-consistency", "3", *later).stdout)
        result = run("check-consistency", "proof.json", "--key", "log.pub", "--kept", "kept")
        assert result.exit_code == 0, result.output
        assert "proved: the log of 3 entries" in result.stdout
    said = json.loads(Path("proof.json").read_text())
    for changed, what in (
        ({"proof": [*said["proof"], "0" * 64]}, "is not how the log of 6 begins"),
        ({"proof": ["x"]}, "not hexadecimal"),
        ({"proof": None}, "not a consistency proof"),
        ({"from_checkpoint": None}, "has no from_checkpoint"),
        ({"from_checkpoint": filled.checkpoint_at(2)}, "is not how the log of 6 begins"),
    ):
        Path("bad.json").write_text(json.dumps({**said, **changed}))
        result = run("check-consistency", "bad.json", "--key", "log.pub")
        assert result.exit_code == 1
        assert what in result.stderr
    Path("kept").write_text(filled.checkpoint_at(4) or "")
    result = run("check-consistency", "proof.json", "--key", "log.pub", "--kept", "kept")
    assert "none of the proof's two" in result.stderr
    assert "error: the log has" in run("prove-consistency", "3", "99").stderr


def test_a_part_that_leaves_nothing_out_is_refused(filled: LogStore) -> None:
    header, *rest = [json.loads(line) for line in export_lines(filled)]
    lines = [{**header, "from": 0, "to": 7, "before": [], "after": []}, *rest]
    report = verify_part([json.dumps(line).encode() for line in lines], filled.verifier_key)
    assert "no part" in str(report.problems[0])


def test_a_part_says_how_many_payloads_are_missing(filled: LogStore) -> None:
    lines = part(filled)
    lines[2] |= {"payload": None, "salt": None}
    report = verify_part([json.dumps(line).encode() for line in lines], filled.verifier_key)
    assert report.ok
    assert "1 of these 3 entries have no payload" in report.caveats


def test_a_part_proves_no_receipt_and_no_earlier_checkpoint(run: Run, filled: LogStore) -> None:
    assert run("export", "--out", "log.jsonl", "--from", "2", "--to", "5").exit_code == 0
    Path("kept").write_text(filled.latest_checkpoint())
    result = run("verify", "log.jsonl", "--key", "log.pub", "--since", "kept")
    assert result.exit_code == 2
    assert "need the whole log" in result.output
