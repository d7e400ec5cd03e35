"""`python -m service log erase` and `log retain` as a person runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pysqlite3
import pytest
from click.testing import CliRunner, Result

from service.log.commands import log_commands
from service.log.databases import sqlite
from service.log.entry import KINDS, uuid7
from service.log.erasure_commands import add_erasure_commands
from service.log.store import LogStore

Run = Callable[..., Result]
WHY = ("--reason", "subject_request", "--by", "data_protection_officer")
LONG_AGO = 1_500_000_000_000_000_000


@pytest.fixture
def run(open_store: Callable[..., LogStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    group: click.Group = log_commands(open_store, open_store)
    add_erasure_commands(group, open_store)
    return lambda *arguments, **more: CliRunner().invoke(group, list(arguments), **more)


@pytest.fixture
def filled(open_store: Callable[..., LogStore]) -> list[str]:
    """Three screenings of two cases with their responses and a look-up; gives the ids of all."""
    store = open_store(clock=lambda: LONG_AGO)
    ids = [
        store.append("screening", json.dumps({"asked": {"case_ref": ref}}, separators=(",", ":")).encode()).entry_id
        for ref in ("canary-1", "canary-2", "canary-1")
    ]
    naming = [json.dumps({"screening_id": screening_id}).encode() for screening_id in ids[:2]]
    ids += [store.append("response", payload).entry_id for payload in naming]
    ids.append(store.append("lookup", naming[0]).entry_id)
    store.close()
    return ids


def erased(open_store: Callable[..., LogStore], ids: list[str]) -> list[int]:
    store = open_store()
    gone = [number for number, entry_id in enumerate(ids) if store.get(entry_id).payload is None]
    store.close()
    return gone


def one_line(result: Result) -> str:
    assert "Traceback" not in result.output
    lines = [line for line in result.stderr.splitlines() if line]
    assert len(lines) == 1, lines
    return lines[0]


def test_a_screening_is_erased_with_its_responses_and_the_log_verifies(run: Run, filled, open_store) -> None:
    proof = json.loads(run("prove", filled[0]).stdout)
    result = run("erase", "--screening", filled[0].upper(), *WHY, "--note-code", "dpo-17")
    assert result.exit_code == 0, result.output
    assert "erased: 2 entries (response 1, screening 1); recorded as entry 6, 7" not in result.stdout
    assert "erased: 2 entries (response 1, screening 1); recorded as entry 6" in result.stdout
    assert "hold neither salt nor packed payload (searched for: 2 of 2 entries)" in result.stdout
    assert "not reached: exports, backups" in result.stdout
    assert erased(open_store, filled) == [0, 3]
    verified = run("verify")
    assert verified.exit_code == 0, verified.output
    assert "note: 2 payloads were erased" in verified.stdout
    after = json.loads(run("prove", filled[0]).stdout)
    assert (after["leaf"], after["index"]) == (proof["leaf"], proof["index"])
    exported = run("export", "--out", "-").stdout.splitlines()
    assert json.loads(exported[1])["payload"] is None
    assert json.loads(exported[1])["salt"] is None


def test_erasing_twice_says_so_and_exits_0(run: Run, filled) -> None:
    assert run("erase", "--screening", filled[1], *WHY).exit_code == 0
    result = run("erase", "--screening", filled[1], *WHY)
    assert result.exit_code == 0, result.output
    assert "erased already: entry 1, by entry 6 at 20" in result.stdout
    assert "(subject_request)" in result.stdout
    assert "nothing more to erase" in result.stdout


def test_a_late_response_to_an_erased_screening_goes_with_the_next_run(run: Run, filled, open_store) -> None:
    run("erase", "--screening", filled[1], *WHY)
    store = open_store()
    late = store.append("response", json.dumps({"screening_id": filled[1]}).encode()).entry_id
    store.close()
    assert "erased: 1 entries (response 1)" in run("erase", "--screening", filled[1], *WHY).stdout
    assert erased(open_store, [late]) == [0]


@pytest.mark.parametrize("typed", [True, False])
def test_a_case_is_erased_whole_and_its_reference_is_said_nowhere(
    run: Run, filled, open_store, tmp_path: Path, typed: bool
) -> None:
    if typed:
        result = run("erase", "--case-ref", "canary-1", *WHY)
    else:
        result = run("erase", "--case-ref", "-", *WHY, input="canary-1\n")
    assert result.exit_code == 0, result.output
    assert "erased: 3 entries (response 1, screening 2)" in result.stdout
    assert "canary" not in result.output
    assert erased(open_store, filled) == [0, 2, 3]
    assert "canary-1" not in run("export", "--out", "-").stdout
    for path in tmp_path.glob("log.sqlite*"):
        assert b"canary-1" not in path.read_bytes()
    again = run("erase", "--case-ref", "canary-1", *WHY)
    assert again.exit_code == 2
    assert "no entry holds it" in one_line(again)
    assert "canary" not in again.output


def test_what_is_not_there_is_one_line_and_exit_code_2(run: Run, filled) -> None:
    for entry_id in (uuid7(), "nothing", "1 OR 1"):
        result = run("erase", "--screening", entry_id, *WHY)
        assert result.exit_code == 2
        assert one_line(result) == "error: --screening: there is no entry of that id in the log"
    result = run("erase", "--screening", filled[5], *WHY)
    assert result.exit_code == 2
    assert "of the kind lookup; give a screening's id" in one_line(result)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (WHY, "either --screening ID or --case-ref REF"),
        (("--screening", "x", "--case-ref", "y", *WHY), "either --screening ID or --case-ref REF"),
        (("--screening", "x", "--by", "operator"), "--reason"),
        (("--screening", "x", "--reason", "a friend asked", "--by", "operator"), "court_order"),
        (("--screening", "x", "--reason", "court_order"), "--by"),
        (("--screening", "x", "--reason", "court_order", "--by", "Jo Bloggs"), "give a key's id or one of"),
        (("--screening", "x", *WHY, "--note-code", "for Jo"), "give a code of at most 32"),
        (("--screening", "x", *WHY, "--note-code", "943-476-5919"), "no identifier"),
    ],
)
def test_no_free_text_and_no_half_order(run: Run, filled, open_store, arguments: tuple[str, ...], words: str) -> None:
    result = run("erase", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "Bloggs" not in result.output
    assert erased(open_store, filled) == []


def test_what_other_hands_took_is_not_made_an_erasure(run: Run, filled, tmp_path: Path) -> None:
    with pysqlite3.connect(tmp_path / "log.sqlite") as connection:
        connection.execute("UPDATE log_entry SET payload = NULL, salt = NULL WHERE idx = 0")
    connection.close()
    result = run("erase", "--screening", filled[0], *WHY)
    assert result.exit_code == 1
    assert one_line(result) == ("error: entry 0: its payload is gone, and no erasure entry names it; verify the log")
    assert "entry 0: its payload is gone" in run("verify").stderr


def test_an_entry_that_cannot_be_read_is_told_and_the_rest_is_erased(
    run: Run, filled, open_store, tmp_path: Path
) -> None:
    with pysqlite3.connect(tmp_path / "log.sqlite") as connection:
        connection.execute("UPDATE log_entry SET payload = X'00' WHERE idx = 1")
    connection.close()
    result = run("erase", "--case-ref", "canary-1", *WHY)
    assert result.exit_code == 1
    assert "1 entries cannot be read and may concern the case (1): verify the log" in one_line(result)
    assert erased(open_store, [filled[0], filled[2], filled[3]]) == [0, 1, 2]


def test_remains_of_an_older_file_are_written_over(run: Run, open_store, monkeypatch) -> None:
    monkeypatch.setattr(sqlite, "_PRAGMAS", (*sqlite._PRAGMAS, "secure_delete=OFF"))
    store = open_store()
    for number in range(60):
        store.append("screening", json.dumps({"case_ref": "canary", "x": f"{number:0300d}"}).encode())
    store.close()
    monkeypatch.undo()
    result = run("erase", "--case-ref", "canary", *WHY)
    assert result.exit_code == 0, result.output
    assert "writing the database anew" in result.stdout
    assert "searched for: 60 of 60 entries" in result.stdout
    assert run("verify").exit_code == 0


def policy(tmp_path: Path, days: str) -> str:
    never = dict.fromkeys(KINDS, '"never"')
    said = [
        f'[periods.{kind}]\ndays = {chosen}\nwhy = "test"\n' for kind, chosen in {**never, "screening": days}.items()
    ]
    (tmp_path / "policy.toml").write_text("".join(said))
    return "policy.toml"


def test_retention_erases_what_is_due_and_says_first_what_it_would(run: Run, filled, open_store, tmp_path) -> None:
    file = policy(tmp_path, "30")
    planned = run("retain", "--policy", file, "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert planned.stdout == "due: 3 entries (screening 3); nothing was erased\n"
    assert erased(open_store, filled) == []
    result = run("retain", "--policy", file)
    assert result.exit_code == 0, result.output
    assert erased(open_store, filled) == [0, 1, 2]
    store = open_store()
    recorded = json.loads(store.latest_of_kind("erasure").payload)
    store.close()
    assert (recorded["reason"], recorded["by"]) == ("retention_period_ended", "operator")
    assert len(recorded["policy_sha256"]) == 64
    assert "nothing more to erase" in run("retain", "--policy", file).stdout
    assert run("verify").exit_code == 0


def test_the_shipped_periods_keep_what_is_young(run: Run, filled, open_store) -> None:
    assert "due: nothing" in run("retain", "--dry-run").stdout
    assert "nothing more to erase" in run("retain").stdout
    assert erased(open_store, filled) == []


def test_a_policy_that_cannot_be_is_one_line(run: Run, filled, tmp_path: Path) -> None:
    result = run("retain", "--policy", policy(tmp_path, "0"))
    assert result.exit_code == 1
    assert "periods.screening.days: give a whole number" in one_line(result)
