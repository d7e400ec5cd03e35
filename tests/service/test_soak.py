"""A short soak in every run of the tests; longer ones by hand (soak.py)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from service.log.record import read_record
from tests.service import soak
from tests.service.soaking.ledger import PROBLEM, Ledger
from tests.service.soaking.machine import Machine
from tests.service.soaking.reckoning import Outcome, reckon

SEED = 20_260_402
OF_THE_DATABASE = (
    "database restarted, immediate",
    "database process killed -9",
    "disk slow",
)


def _run(postgresql: bool, kinds: tuple[str, ...] = ()) -> Outcome:
    with soak.prepared(postgresql, SEED) as soaked:
        wanted = set(kinds or soaked.kinds)
        for kind in set(soaked.kinds) - wanted:
            del soaked.kinds[kind]
        totals = soaked.run(1)
    assert totals.ok, totals.table()
    # Every kind was had, and clients were both served and refused meanwhile.
    assert set(totals.faults) == wanted
    assert len(totals.ledger.acknowledged) > 200
    assert totals.ledger.refused["503 overloaded"] >= 5
    assert totals.ledger.refused["503 not_recorded"] >= 3
    assert totals.stored == len(totals.ledger.acknowledged) + totals.stored_unacknowledged
    assert totals.ledger.requests == (
        totals.ledger.answered + totals.ledger.refused.total() + totals.ledger.broken.total()
    )
    return totals


def test_no_fault_loses_a_screening_that_a_client_has() -> None:
    totals = _run(postgresql=False)
    assert totals.ledger.broken["cut off"] > 0
    assert totals.ledger.answered > len(totals.ledger.acknowledged)  # requests with a key that were sent again


def test_nor_does_a_fault_of_the_database() -> None:
    _run(postgresql=True, kinds=OF_THE_DATABASE)


def test_where_mounting_is_not_permitted_the_disk_is_full_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        raise OSError("mounting is not permitted")

    monkeypatch.setattr(soak, "SmallDisk", refuse)
    with soak.prepared(False, SEED) as soaked:
        for kind in set(soaked.kinds) - {"disk full"}:
            del soaked.kinds[kind]
        totals = soaked.run(1)
    assert totals.ok, totals.table()
    assert totals.faults["disk full"] >= 1
    assert totals.ledger.refused["503 not_recorded"] >= 1


def test_the_machine_is_slow_and_its_clock_wrong_for_what_runs_on_it(tmp_path: Path) -> None:
    program = (
        "import os, sys, time, pysqlite3\n"
        "log = pysqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "log.executescript('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (x)')\n"
        "began = time.monotonic()\n"
        "log.execute('INSERT INTO t VALUES (1)')\n"
        "print(time.time(), time.time_ns() // 10**9, time.monotonic() - began)\n"
    )

    def run(name: str) -> list[float]:
        done = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / name)],
            env=machine.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return [float(figure) for figure in done.stdout.split()]

    machine = Machine(tmp_path)
    try:
        right, _, quick = run("quick")
        machine.set_clock(-7200)
        machine.slow_disk(300)
        wrong, whole, slow = run("slow")
    finally:
        machine.close()
    assert right == pytest.approx(time.time(), abs=60)
    assert wrong == pytest.approx(right - 7200, abs=60)
    assert whole == pytest.approx(wrong, abs=1)
    assert slow >= 0.3 > quick


def _answer(service, case_ref: str) -> bytes:
    answered = service.screen({"immediate_danger": "no"}, case_ref=case_ref)
    assert answered.status_code == 201
    return answered.data


def _ledger(*answers: bytes) -> Ledger:
    ledger = Ledger()
    for number, body in enumerate(answers, 1):
        case_ref = f"case-{number}"
        ledger.begin(case_ref)
        assert ledger.answer(case_ref, 201, "application/json", body, 0.01)
    return ledger


def _reckoned(ledger: Ledger, service) -> Outcome:
    return reckon(ledger, service.log, Counter({"disk full": 1}), Counter(), 0.5, [])


def test_what_was_answered_and_recorded_is_in_order(service) -> None:
    totals = _reckoned(_ledger(_answer(service, "case-1"), _answer(service, "case-2")), service)
    assert totals.ok, totals.table()
    assert (totals.stored, totals.lost, totals.twice) == (2, 0, 0)
    assert "acknowledged, lost                                                   0\n" in totals.table()


def test_an_answer_that_is_not_recorded_is_lost_and_found_out(service) -> None:
    ledger = _ledger(_answer(service, "case-1"))
    kept = ledger.acknowledged["case-1"]
    others = {
        "another index": replace(kept, record=replace(kept.record, index=kept.record.index + 1)),
        "another leaf": replace(kept, record=replace(kept.record, leaf_hash="0" * 64)),
        "other bytes": replace(kept, digest=bytes(32)),
        "a shorter answer": replace(kept, length=kept.length - 1),
        "another entry": replace(kept, screening_id="00000000-0000-7000-8000-000000000000"),
    }
    for what, other in others.items():
        ledger.acknowledged["case-1"] = other
        totals = _reckoned(ledger, service)
        assert totals.lost == 1, what
        assert not totals.ok
    ledger.acknowledged["case-1"] = kept
    assert _reckoned(ledger, service).ok


def test_a_case_that_is_recorded_twice_or_that_nobody_asked_for_is_found_out(service) -> None:
    ledger = _ledger(_answer(service, "case-1"))
    _answer(service, "case-1")
    assert _reckoned(ledger, service).twice == 1
    _answer(service, "case-2")
    totals = _reckoned(ledger, service)
    assert "index 2: a screening that nobody asked for" in totals.problems
    assert not totals.ok


def test_two_answers_to_one_key_are_wrong(service) -> None:
    ledger = _ledger(_answer(service, "case-1"))
    ledger.answer("case-1", 201, "application/json", _answer(service, "case-1"), 0.01)
    assert ledger.wrong == ["one Idempotency-Key was given two answers"]


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (500, PROBLEM, b'{"status":500,"code":"internal"}'),
        (503, "text/plain", b"Service Unavailable"),
        (503, PROBLEM, b'{"status":503,"code":"not_recorded","score":0.5}'),
        (503, PROBLEM, b'{"status":503,"code":"not_recorded","detail":"Traceback (most recent call last)"}'),
        (503, PROBLEM, b'{"status":503,"co'),
        (200, "application/json", b'{"case_ref":"another","score":0.5}'),
        (201, "application/json", b'{"case_ref":"case-1","score":0.5}'),
    ],
)
def test_an_answer_that_no_client_should_get_is_wrong(status: int, kind: str, body: bytes) -> None:
    ledger = Ledger()
    ledger.begin("case-1")
    assert not ledger.answer("case-1", status, kind, body, 0.01)
    assert len(ledger.wrong) == 1


def test_a_record_of_a_log_that_was_rewritten_is_found_out(service) -> None:
    body = _answer(service, "case-1")
    record = read_record(body)
    ledger = _ledger(body)
    ahead = service.log._key.sign(9, bytes(32))
    ledger.acknowledged["case-1"] = replace(ledger.acknowledged["case-1"], record=replace(record, checkpoint=ahead))
    assert _reckoned(ledger, service).problems
