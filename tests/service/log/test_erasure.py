"""What is erased is gone from every file, and everything that was proved stays proved."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pysqlite3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.log.case_entries import CaseEntries
from service.log.checkpoint import create_signing_key
from service.log.cleaning import empty_write_ahead_log, files_of, remains, rewrite
from service.log.databases import sqlite
from service.log.erasure import MOST_IN_ONE_ENTRY, Erased, Order, Target, erase, erase_found, erasure_of, finish
from service.log.export import export_lines
from service.log.merkle import verify_inclusion
from service.log.schema import LogError
from service.log.store import LogStore, NotDurable
from service.log.verifier import verify

ORDER = Order("subject_request", "data_protection_officer", "dpo-17")


def target(store: LogStore, index: int) -> Target:
    entry = store.get_index(index)
    assert entry is not None
    return Target(entry.index, entry.entry_id, entry.kind)


def screening(case_ref: str, more: str = "") -> bytes:
    return json.dumps({"asked": {"case_ref": case_ref}, "more": more}, separators=(",", ":"), sort_keys=True).encode()


def report(store: LogStore):
    return verify(export_lines(store), store.verifier_key, [store.verifier_key.open(store.get_index(0).checkpoint)])


@settings(max_examples=15)
@given(st.sets(st.integers(0, 11)), st.integers(1, 5))
def test_any_subset_can_be_erased_and_the_rest_is_as_it_was(chosen: set[int], batch: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.log.erasure.MOST_IN_ONE_ENTRY", batch)
        store = LogStore.open(Path(folder) / "log.sqlite", create_signing_key(Path(folder) / "log.pem", "test"))
        try:
            receipts = [store.append("screening", screening(f"case-{n}", "x" * 700 * n)) for n in range(12)]
            before = list(store.entries(0, 12))
            done = Erased()
            erase(store, [target(store, index) for index in sorted(chosen)], ORDER, done)
            checked = report(store)
            assert (checked.ok, checked.erased) == (True, len(chosen)), checked.problems
            assert len(done.recorded_at) == -(-len(chosen) // batch)
            size = store.size()
            root = store.verifier_key.open(store.latest_checkpoint()).root
            for old, new in zip(before, store.entries(0, 12), strict=True):
                assert new.payload == (None if old.index in chosen else old.payload)
                assert (new.leaf, new.leaf_hash, new.at) == (old.leaf, old.leaf_hash, old.at)
                proof = store.inclusion_proof(old.index, size)
                assert verify_inclusion(bytes.fromhex(receipts[old.index].leaf_hash), old.index, size, proof, root)
                assert (erasure_of(store, old.entry_id) is not None) == (old.index in chosen)
        finally:
            store.close()


def test_the_erasure_entry_says_what_why_and_by_whom_and_nothing_of_the_case(store: LogStore) -> None:
    receipt = store.append("screening", screening("secret-case"))
    done = Erased()
    erase(store, [target(store, 0)], ORDER, done)
    entry = store.get_index(1)
    assert entry.kind == "erasure"
    assert json.loads(entry.payload) == {
        "by": "data_protection_officer",
        "erased": [receipt.entry_id],
        "indexes": [0],
        "kinds": ["screening"],
        "note_code": "dpo-17",
        "reason": "subject_request",
    }
    assert done.kinds == {"screening": 1}


def test_many_are_erased_by_several_entries(store: LogStore) -> None:
    targets = [target(store, store.append("screening", b"{}").index) for _ in range(MOST_IN_ONE_ENTRY + 1)]
    done = Erased()
    erase(store, targets, ORDER, done)
    assert done.recorded_at == [MOST_IN_ONE_ENTRY + 1, MOST_IN_ONE_ENTRY + 2]
    assert report(store).erased == MOST_IN_ONE_ENTRY + 1


def test_killed_between_entry_and_removal_is_pending_and_finished_by_the_next_run(
    store: LogStore, tmp_path: Path
) -> None:
    ids = [store.append("screening", screening(f"canary-{n}", os.urandom(200).hex())).entry_id for n in range(5)]
    killed = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("cut_off_eraser.py")), str(tmp_path), *ids[1:4]], timeout=60
    )
    assert killed.returncode == -9
    assert store.size() == 6
    pending = report(store)
    assert (pending.ok, pending.erased) == (True, 0)
    assert store.get(ids[1]).payload is not None
    done = Erased()
    finish(store, done)
    assert done.finished == 3
    assert [store.get(entry_id).payload is None for entry_id in ids] == [False, True, True, True, False]
    assert (report(store).ok, report(store).erased) == (True, 3)
    assert store.size() == 6
    again = Erased()
    finish(store, again)
    assert again.finished == 0


def test_without_a_durable_entry_nothing_is_removed(store: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.append("screening", screening("case-1"))

    def fails(*_: object) -> None:
        raise OSError("no space")

    targets = [target(store, 0)]
    monkeypatch.setattr(store._writer, "commit", fails)
    with pytest.raises(NotDurable):
        erase(store, targets, ORDER, Erased())
    assert store.get_index(0).payload == screening("case-1")


def test_a_payload_gone_without_an_erasure_entry_is_named(store: LogStore, tmp_path: Path) -> None:
    for n in range(3):
        store.append("screening", screening(f"case-{n}"))
    erase(store, [target(store, 0)], ORDER, Erased())
    with pysqlite3.connect(tmp_path / "log.sqlite") as connection:
        connection.execute("UPDATE log_entry SET payload = NULL, salt = NULL WHERE idx = 2")
    connection.close()
    assert [(problem.index, "no erasure entry" in problem.text) for problem in report(store).problems] == [(2, True)]


def fill(store: LogStore, seed: int) -> list[str]:
    """Entries of every length that a page can hold or not; their payloads are chance, so each piece is one's own."""
    chance = random.Random(seed)
    canaries = []
    for _ in range(120):
        canary = chance.randbytes(chance.choice([10, 60, 150, 500, 1500, 4500])).hex()
        canaries.append(canary)
        store.append("screening", screening(f"canary-{canary[:20]}", canary))
    return canaries


def stored(store: LogStore) -> list:
    return list(store.rows(0, store.size()))


def pieces(row) -> list[bytes]:
    # The head of a packed payload is alike in all of them.
    return [row.salt, *(row.payload[at : at + 24] for at in range(64, len(row.payload) - 23, 24))]


def bytes_on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("log.sqlite*"))


@pytest.mark.parametrize(("seed", "share"), [(1, 0.05), (2, 0.5), (3, 0.97)])
def test_what_is_erased_is_in_no_file_any_more(store: LogStore, tmp_path: Path, seed: int, share: float) -> None:
    canaries = fill(store, seed)
    rows = stored(store)
    chosen = sorted(random.Random(seed).sample(range(120), int(120 * share)))
    assert all(piece in bytes_on_disk(tmp_path) for piece in (rows[chosen[0]].salt, rows[chosen[0]].payload[:64]))
    done = Erased()
    erase(store, [target(store, index) for index in chosen], ORDER, done)
    empty_write_ahead_log(store)
    on_disk = bytes_on_disk(tmp_path)
    still_right = b"".join(row.payload for row in rows if row.idx not in chosen)
    for index in chosen:
        assert not [piece for piece in pieces(rows[index]) if piece in on_disk and piece not in still_right]
        assert canaries[index].encode() not in on_disk
    kept = next(row for row in rows if row.idx not in chosen)
    assert kept.salt in on_disk
    store.close()
    assert remains(tmp_path / "log.sqlite", done.traces) == []


def test_remains_in_an_older_file_are_found_and_go_when_it_is_written_anew(
    open_store: Callable[..., LogStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without secure_delete from the first entry on, pages that were split keep copies: the search is no formality."""
    monkeypatch.setattr(sqlite, "_PRAGMAS", (*sqlite._PRAGMAS, "secure_delete=OFF"))
    store = open_store()
    fill(store, 8)
    done = Erased()
    erase(store, [target(store, index) for index in range(120)], ORDER, done)
    empty_write_ahead_log(store)
    store.close()
    monkeypatch.undo()
    left = remains(tmp_path / "log.sqlite", done.traces)
    assert left
    assert all(line.endswith("in log.sqlite") for line in left)
    store = open_store()
    rewrite(store)
    assert report(store).ok
    store.close()
    assert remains(tmp_path / "log.sqlite", done.traces) == []


def test_the_search_finds_what_the_write_ahead_log_still_holds(store: LogStore, tmp_path: Path) -> None:
    fill(store, 4)
    empty_write_ahead_log(store)
    done = Erased()
    reader = pysqlite3.connect(tmp_path / "log.sqlite", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM log_entry").fetchone()
    erase(store, [target(store, 7)], ORDER, done)
    assert remains(tmp_path / "log.sqlite", done.traces) == ["entry 7 in log.sqlite"]
    reader.close()
    empty_write_ahead_log(store)
    assert (tmp_path / "log.sqlite-wal").stat().st_size == 0
    assert len(files_of(tmp_path / "log.sqlite")) == 3
    assert remains(tmp_path / "log.sqlite", done.traces) == []


def test_entries_of_a_case_are_found_among_others(store: LogStore) -> None:
    def response(to: str) -> bytes:
        return json.dumps({"action": "discussed", "screening_id": to}, separators=(",", ":")).encode()

    mine = store.append("screening", screening("gp", "{}")).entry_id
    other = store.append("screening", screening("case-2", '"gp"')).entry_id
    store.append("lookup", json.dumps({"screening_id": mine}).encode())
    store.append("response", response(mine))
    store.append("response", response(other))
    store.append("screening", b'{"asked":{"agency":"gp","case_ref":"case-3"}}')
    again = store.append("screening", screening("gp")).entry_id
    finder = CaseEntries(store, "gp")
    assert [found.index for found in finder.look(0, 7)] == [0, 3, 6]
    assert finder.unreadable == []
    alone = CaseEntries(store, screenings={again})
    assert [found.index for found in alone.look(0, 7)] == [6]


def test_what_comes_in_while_a_case_is_erased_is_erased_too(store: LogStore) -> None:
    store.append("screening", screening("case-1"))
    finder = CaseEntries(store, "case-1")
    late: list[str] = []

    def look(start: int, stop: int):
        found = list(finder.look(start, stop))
        if not late:
            late.append(store.append("screening", screening("case-1", "late")).entry_id)
        return found

    done = Erased()
    erase_found(store, look, ORDER, done)
    assert done.kinds == {"screening": 2}
    assert store.get(late[0]).payload is None


def test_an_entry_that_cannot_be_read_is_told(store: LogStore, tmp_path: Path) -> None:
    store.append("screening", screening("case-1"))
    store.append("screening", screening("case-1"))
    with pysqlite3.connect(tmp_path / "log.sqlite") as connection:
        connection.execute("UPDATE log_entry SET payload = X'00' WHERE idx = 0")
    connection.close()
    finder = CaseEntries(store, "case-1")
    assert [found.index for found in finder.look(0, 2)] == [1]
    assert finder.unreadable == [0]


def test_an_export_during_an_erasure_ends_without_accusing_the_log(store: LogStore) -> None:
    for number in range(3):
        store.append("screening", screening(f"case-{number}"))
    lines = export_lines(store)
    next(lines)
    erase(store, [target(store, 1)], ORDER, Erased())
    with pytest.raises(LogError, match="begin again"):
        list(lines)
    assert report(store).ok
