"""Which model was live when, who looked at what, how often practitioners disagreed; from a log built by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pysqlite3
import pytest
from click.testing import CliRunner, Result

from service.log.accounts import looks, models, responses
from service.log.canonical import canonical_bytes
from service.log.commands import log_commands
from service.log.entry import Kind
from service.log.store import LogDamaged, LogStore, Receipt

FIRST = {"sha256": "aa", "synthetic": True, "version": "first-1"}
SECOND = {"sha256": "bb", "synthetic": False, "version": "second-1"}
OVERRIDE = {
    "by": "data_scientist",
    "figure": "99",
    "gate": "enough_events",
    "limit": ">= 100",
    "reason": "silent_pilot",
}
EMPTY = {"responses": 0, "disagreed": 0}

Add = Callable[..., Receipt]


@pytest.fixture
def add(store: LogStore) -> Add:
    def add(kind: Kind, **payload: object) -> Receipt:
        return store.append(kind, canonical_bytes(payload))

    return add


@pytest.fixture
def respond(add: Add) -> Add:
    """Adds a response; by default one that referred after a prompt."""

    def respond(screening: str, **changes: object) -> Receipt:
        said = {
            "action": "referred",
            "agency": "gp",
            "caller": {"key_id": "11", "role": "practitioner"},
            "corrects": None,
            "level": "consider_referral",
            "model": "first-1",
            "reasons": [],
            "screening_id": screening,
        }
        return add("response", **{**said, **changes})

    return respond


@pytest.fixture
def run(open_store: Callable[..., LogStore]) -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(log_commands(open_store, open_store), list(arguments))


def erase(tmp_path: Path, index: int) -> None:
    with pysqlite3.connect(tmp_path / "log.sqlite") as connection:
        connection.execute("UPDATE log_entry SET payload = NULL, salt = NULL WHERE idx = ?", (index,))
    connection.close()


def test_each_model_from_when_until_when(store: LogStore, add: Add, run: Callable[..., Result]) -> None:
    first = add("model_activated", model=FIRST, release_key="k")
    add("service_started", model=FIRST, previous="first start")
    add("service_started", model=FIRST, previous="no stop recorded")
    add("gates_overridden", model=SECOND, overrides=[OVERRIDE])
    second = add("model_activated", model=SECOND, release_key="k", gates_overridden=["enough_events"])
    add("service_started", model=SECOND, previous="stopped")
    third = add("model_activated", model=FIRST, release_key="k")
    found = models(store)
    assert [(one["version"], one["from"], one["until"]) for one in found] == [
        ("first-1", first.at, second.at),
        ("second-1", second.at, third.at),
        ("first-1", third.at, None),
    ]
    assert [one["gates_overridden"] for one in found] == [[], [OVERRIDE], []]
    assert [(one["starts"], one["starts_after_no_stop"]) for one in found] == [(2, 1), (1, 0), (0, 0)]
    assert [json.loads(line) for line in run("models", "--json").stdout.splitlines()] == found
    lines = run("models").stdout.splitlines()
    assert lines[0].startswith(f"{first.at} to {second.at}  first-1 (synthetic)")
    assert lines[1].endswith("gates overridden: enough_events (silent_pilot, by data_scientist)")
    assert lines[2].startswith(f"{third.at} to now")


def test_each_look_with_who_and_at_what(store: LogStore, add: Add, run: Callable[..., Result], tmp_path: Path) -> None:
    add("key_created", agency="gp", by="command line", key_id="11", role="practitioner")
    look = add("lookup", caller={"key_id": "11", "role": "practitioner"}, screening_id="s-1")
    export = add("export", caller={"key_id": "22", "role": "auditor"}, format="csv", rows=7)
    erase(tmp_path, add("lookup", caller={"key_id": "11", "role": "practitioner"}, screening_id="s-2").index)
    first, second, third = looks(store)
    assert (first["at"], first["agency"], first["looked_at"]) == (look.at, "gp", {"screening_id": "s-1"})
    assert (second["entry"], second["kind"], second["role"]) == (export.index, "export", "auditor")
    assert (third["erased"], third["looked_at"]) == (True, {})
    lines = run("looks").stdout.splitlines()
    assert lines[0] == f"{look.at}  entry 1  lookup  key 11 (practitioner, gp)  screening_id=s-1"
    assert lines[1].endswith("key 22 (auditor, any agency)  format=csv  rows=7")
    assert lines[2].endswith("(erased)")
    assert [json.loads(line) for line in run("looks", "--json").stdout.splitlines()] == [first, second, third]


def test_the_newest_response_to_a_screening_counts(store: LogStore, respond: Add) -> None:
    for number in range(20):
        first = respond(f"s-{number}", action="decided_otherwise", reasons=["other"])
        if number < 8:
            respond(f"s-{number}", corrects=first.entry_id)
    assert responses(store)["all"] == {"responses": 20, "disagreed": None}  # 12 disagreed and 8 did not
    for number in range(8, 10):
        respond(f"t-{number}")
    assert responses(store)["all"] == {"responses": 22, "disagreed": 12}
    assert responses(store)["reasons"] == {"other": 12}


def test_small_counts_and_what_would_give_them_away_are_hidden(
    store: LogStore, add: Add, respond: Add, run: Callable[..., Result]
) -> None:
    add("screening", x=1)
    otherwise = {"action": "decided_otherwise", "reasons": ["knows_more"]}
    for number in range(12):
        respond(f"a-{number}", **otherwise)
        respond(f"b-{number}", agency="police", level="no_prompt")
        respond(f"c-{number}", agency="midwifery")
        respond(f"d-{number}", agency="midwifery", **otherwise)
    for number in range(3):
        respond(f"e-{number}", agency="school", reasons=["no_time"])
    found = responses(store)
    assert found["screenings"] == 1
    assert found["all"] == {"responses": 51, "disagreed": 24}
    assert found["agency"]["school"] == {"responses": None, "disagreed": None}
    assert sum(counts["responses"] is None for counts in found["agency"].values()) == 2
    assert found["agency"]["midwifery"] == {"responses": 24, "disagreed": 12}
    assert found["level"] == {
        "consider_referral": {"responses": 39, "disagreed": 24},
        "no_prompt": {"responses": 12, "disagreed": 0},
    }
    assert found["reasons"] == {"knows_more": 24}
    text = run("responses").stdout
    assert "  midwifery: 24 responses, 12 disagreed (50.0 %)" in text
    assert "  school: fewer than 10 responses, or hidden to protect such a count" in text
    assert json.loads(run("responses", "--json").stdout) == found


def test_erased_responses_are_counted_as_erased(store: LogStore, respond: Add, tmp_path: Path) -> None:
    first = respond("s-1")
    respond("s-1", corrects=first.entry_id)
    erase(tmp_path, first.index)
    found = responses(store)
    assert (found["erased"], found["all"]) == (1, {"responses": None, "disagreed": None})


def test_an_empty_log_has_nothing_to_account_for(store: LogStore, run: Callable[..., Result]) -> None:
    assert models(store) == []
    assert list(looks(store)) == []
    assert responses(store)["all"] == EMPTY
    for command in ("models", "looks", "responses"):
        assert run(command).exit_code == 0


@pytest.mark.parametrize("command", ["models", "looks", "responses"])
def test_an_entry_whose_kind_was_changed_is_not_passed_over(
    store: LogStore, add: Add, run: Callable[..., Result], tmp_path: Path, command: str
) -> None:
    add("lookup", caller={"key_id": "11", "role": "auditor"})
    with pysqlite3.connect(tmp_path / "log.sqlite") as connection:
        connection.execute("UPDATE log_entry SET kind = 'screening'")
    connection.close()
    with pytest.raises(LogDamaged):
        list(looks(store))
    result = run(command)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: entry 0 of the log is damaged")
    assert result.stderr.count("\n") == 1
