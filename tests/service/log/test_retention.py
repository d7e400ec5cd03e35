from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from service.log.entry import KINDS
from service.log.erasure import Erased, Order, erase
from service.log.retention import CASE_KINDS, SHIPPED, PolicyError, closed_lists, due, read_policy
from service.log.store import LogStore

DAY = 86_400_000_000_000
NEVER = '"never"'
START = 1_790_000_000_000_000_000


def policy_file(folder: Path, **days: object) -> Path:
    path = folder / "policy.toml"
    lines = [f'[periods.{kind}]\ndays = {days.get(kind, NEVER)}\nwhy = "a test"\n' for kind in sorted(KINDS)]
    path.write_text("".join(lines))
    return path


def test_the_shipped_policy_decides_every_kind_and_keeps_accountability_for_ever() -> None:
    periods = read_policy().periods
    assert periods.keys() == KINDS
    assert {kind for kind, days in periods.items() if days is not None} == set(CASE_KINDS)
    assert periods["screening"] > 25 * 365.25
    reasons, roles = closed_lists()
    assert "retention_period_ended" in reasons
    assert {"operator", "data_protection_officer"} <= roles.keys()


def test_what_is_due_is_told_by_kind_and_time(open_store: Callable[..., LogStore], tmp_path: Path) -> None:
    days = iter(range(0, 100, 10))
    store = open_store(clock=lambda: START + next(days) * DAY)
    for kind in ("screening", "response", "lookup", "screening", "refusal", "screening"):
        store.append(kind, b"{}")
    policy = read_policy(policy_file(tmp_path, screening=25, response=200))
    assert due(store, policy, START + 25 * DAY) == []
    assert [(found.index, found.kind) for found in due(store, policy, START + 56 * DAY)] == [
        (0, "screening"),
        (3, "screening"),
    ]
    assert [found.index for found in due(store, policy, START + 1000 * DAY)] == [0, 1, 3, 5]
    erase(store, due(store, policy, START + 56 * DAY), Order("retention_period_ended", "operator"), Erased())
    assert [found.index for found in due(store, policy, START + 1000 * DAY)] == [1, 5]


def test_a_damaged_leaf_is_not_erased_by_a_rule(store: LogStore, tmp_path: Path) -> None:
    import pysqlite3

    store.append("screening", b"{}")
    store.append("screening", b"{}")
    with pysqlite3.connect(tmp_path / "log.sqlite") as connection:
        connection.execute("UPDATE log_entry SET leaf = X'00' WHERE idx = 0")
    connection.close()
    policy = read_policy(policy_file(tmp_path, screening=1))
    assert [found.index for found in due(store, policy, START + 1000 * DAY)] == [1]


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({"lookup": 10}, "periods.lookup.days: holds no case data"),
        ({"erasure": 10}, "periods.erasure.days: holds no case data"),
        ({"screening": 0}, "periods.screening.days: give a whole number"),
        ({"screening": "true"}, "periods.screening.days: give a whole number"),
        ({"screening": 1.5}, "periods.screening.days: give a whole number"),
        ({"screening": '"soon"'}, "periods.screening.days: give a whole number"),
    ],
)
def test_a_period_that_cannot_be_is_refused(tmp_path: Path, days: dict[str, object], words: str) -> None:
    with pytest.raises(PolicyError, match=words.replace(".", r"\.")):
        read_policy(policy_file(tmp_path, **days))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[periods.lookup]", "[periods.look]", "periods.look: is not a kind of entry"),
        ('why = "without it', 'reason = "without it', "periods.erasure: give days and why"),
        ('why = "codes and field names, never values"', 'why = " "', "periods.refusal.why: give the reason"),
        ("[periods.", "[period.", "periods: is missing"),
        ("[periods.", "[[[periods.", "not a TOML file"),
    ],
)
def test_a_policy_file_of_another_shape_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(SHIPPED.read_text().replace(old, new))
    with pytest.raises(PolicyError, match=words):
        read_policy(path)


def test_a_kind_left_out_is_refused(tmp_path: Path) -> None:
    path = policy_file(tmp_path)
    path.write_text(path.read_text().split("[periods.service_stopped]")[0])
    with pytest.raises(PolicyError, match=r"periods.service_stopped: is missing; give days and why"):
        read_policy(path)
