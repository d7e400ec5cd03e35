"""A few seconds of torture in every run of the tests; longer ones by hand (torture.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from service.log.store import LogStore
from tests.service.log import torture
from tests.service.log.hammer import payload_of
from tests.service.log.tally import Tally, outcome

SEED = 20_260_401


@pytest.mark.parametrize(("postgresql", "seconds"), [(None, 8), ("", 8)], ids=["sqlite", "postgresql"])
def test_no_fault_loses_what_was_acknowledged(postgresql: str | None, seconds: float) -> None:
    _run(postgresql, seconds)


def test_where_mounting_is_not_permitted_the_disk_is_full_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        raise OSError("mounting is not permitted")

    monkeypatch.setattr(torture, "SmallDisk", refuse)
    assert _run(None, 1) >= {"disk full"}


def _run(postgresql: str | None, seconds: float) -> set[str]:
    with torture.prepared(postgresql, SEED) as tortured:
        totals = tortured.run(seconds)
    assert totals.lost == 0, totals.table()
    assert totals.problems == []
    # Every kind was had, and something was going on meanwhile.
    assert set(totals.faults) == set(tortured.kinds)
    assert totals.acknowledged > 100
    assert totals.refused > 0 or "disk full" not in totals.faults
    assert totals.stored == totals.acknowledged + totals.stored_unacknowledged
    assert totals.requests == totals.acknowledged + totals.refused + totals.unanswered
    return set(totals.faults)


def test_what_is_lost_or_another_is_counted(open_store: Callable[..., LogStore]) -> None:
    store = open_store()
    ids = [f"00000000-0000-7000-8000-{number:012d}" for number in range(6)]
    for entry_id in ids[:4]:
        store.append("screening", b"{}" if entry_id == ids[1] else payload_of(entry_id), entry_id)
    # As it should be; another payload; another index; not acknowledged, refused; not stored; asked and no more.
    tally = Tally(set(ids), {ids[0]: 0, ids[1]: 1, ids[2]: 9, ids[4]: 4}, {ids[3]})
    totals = outcome(tally, store, [store.latest_checkpoint()], Counter({"disk full": 1}), 0.5)
    assert (totals.requests, totals.acknowledged, totals.refused, totals.unanswered) == (6, 4, 1, 1)
    assert (totals.stored, totals.stored_unacknowledged, totals.stored_though_refused, totals.lost) == (4, 1, 1, 3)
    assert totals.problems == []
    assert "acknowledged, lost                         3\n" in totals.table()


def test_a_checkpoint_that_the_log_does_not_hold_is_a_problem(
    open_store: Callable[..., LogStore], tmp_path: Path
) -> None:
    store = open_store()
    store.append("screening", b"{}")
    ahead = store._key.sign(5, bytes(32))
    assert outcome(Tally(), store, [ahead], Counter(), 0).problems
