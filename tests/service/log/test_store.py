from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pysqlite3
import pytest

from service.log.checkpoint import SigningKey, create_signing_key
from service.log.entry import EntryError, erasure_payload, uuid7
from service.log.export import export_lines
from service.log.merkle import EMPTY_ROOT, verify_consistency, verify_inclusion
from service.log.store import AlreadyRecorded, LogDamaged, LogError, LogStore, NotDurable
from service.log.stored import read_row
from service.log.verifier import verify
from service.log.writer import Pending

Open = Callable[..., LogStore]


def tamper(folder: Path, sql: str, *values: object) -> None:
    with pysqlite3.connect(folder / "log.sqlite") as connection:
        connection.execute(sql, values)
    connection.close()


def test_a_receipt_is_a_proof(store: LogStore) -> None:
    store.append("service_started", b"{}")
    receipt = store.append("screening", b'{"a":1}')
    checkpoint = store.verifier_key.open(receipt.checkpoint)
    assert (receipt.index, checkpoint.size) == (1, 2)
    proof = store.inclusion_proof(receipt.index, checkpoint.size)
    assert verify_inclusion(bytes.fromhex(receipt.leaf_hash), receipt.index, checkpoint.size, proof, checkpoint.root)


def test_what_was_appended_reads_back(store: LogStore) -> None:
    entry_id = uuid7()
    receipt = store.append("screening", b'{"a":"\xc3\xa9"}', entry_id)
    entry = store.get(entry_id)
    assert entry is not None
    assert entry == store.get_index(0) == store.latest_of_kind("screening")
    assert (entry.payload, entry.kind, entry.entry_id) == (b'{"a":"\xc3\xa9"}', "screening", entry_id)
    assert (entry.index, entry.at, entry.leaf_hash) == (receipt.index, receipt.at, receipt.leaf_hash)
    assert entry.checkpoint == receipt.checkpoint == store.latest_checkpoint()
    assert sha256(b"\x00" + entry.leaf).hexdigest() == receipt.leaf_hash
    assert b"\xc3\xa9" not in entry.leaf


def test_what_is_not_there_is_none(store: LogStore) -> None:
    assert store.get(uuid7()) is None
    assert store.get_index(0) is None
    assert store.latest_of_kind("screening") is None


def test_an_entry_keeps_the_first_checkpoint_that_covered_it(store: LogStore) -> None:
    first = store.append("screening", b"{}")
    store.append("screening", b"{}")
    assert store.get(first.entry_id).checkpoint == first.checkpoint != store.latest_checkpoint()


def test_latest_of_kind(store: LogStore) -> None:
    for number in range(3):
        store.append("model_activated", b"%d" % number)
        store.append("screening", b"{}")
    assert store.latest_of_kind("model_activated").payload == b"2"


def test_an_empty_log_has_a_checkpoint_too(store: LogStore) -> None:
    checkpoint = store.verifier_key.open(store.latest_checkpoint())
    assert (checkpoint.size, checkpoint.root, store.size()) == (0, EMPTY_ROOT, 0)


def test_the_log_goes_on_where_it_was_closed(open_store: Open) -> None:
    first = open_store()
    before = first.append("screening", b"1")
    first.close()
    second = open_store()
    after = second.append("screening", b"2")
    assert (before.index, after.index, second.size()) == (0, 1, 2)
    old, new = (second.verifier_key.open(receipt.checkpoint) for receipt in (before, after))
    assert verify_consistency(1, 2, second.consistency_proof(1, 2), old.root, new.root)
    assert [entry.payload for entry in second.entries(0, 2)] == [b"1", b"2"]


def test_entries_come_in_order_over_many_chunks(store: LogStore) -> None:
    for number in range(600):
        store.append("screening", b"%d" % number)
    assert [int(entry.payload) for entry in store.entries(0, 600)] == list(range(600))
    assert [entry.index for entry in store.entries(250, 260)] == list(range(250, 260))
    assert list(store.entries(600, 700)) == []


def test_salts_hide_equal_payloads(store: LogStore) -> None:
    leaves = {store.get(store.append("screening", b"{}").entry_id).leaf[-70:] for _ in range(10)}
    assert len(leaves) == 10


def test_a_clock_set_back_does_not_make_the_log_run_backwards(open_store: Open) -> None:
    moments = iter([1_800_000_000_000_000_000, 1_700_000_000_000_000_000, 1_800_000_001_000_000_000])
    store = open_store(clock=lambda: next(moments))
    times = [store.append("screening", b"{}").at for _ in range(3)]
    assert times[0] == times[1] < times[2]
    assert verify(export_lines(store), store.verifier_key).ok


def test_refuses_what_it_could_not_export(store: LogStore) -> None:
    with pytest.raises(EntryError):
        store.append("gossip", b"{}")  # type: ignore[arg-type]
    with pytest.raises(EntryError):
        store.append("screening", b"{}", "not-a-uuid")
    with pytest.raises(EntryError):
        store.append("screening", b"\xff")
    assert store.size() == 0


def test_a_repeated_id_or_unique_key_is_told_where_it_is(store: LogStore) -> None:
    receipt = store.append("screening", b"1", unique="key-1")
    with pytest.raises(AlreadyRecorded) as by_id:
        store.append("screening", b"2", receipt.entry_id)
    with pytest.raises(AlreadyRecorded) as by_unique:
        store.append("screening", b"2", unique="key-1")
    assert by_id.value.index == by_unique.value.index == 0
    assert store.append("screening", b"3", unique="key-2").index == 1
    assert store.fault() is None


def test_one_repeated_entry_does_not_fail_its_batch(store: LogStore) -> None:
    store.append("screening", b"0", unique="old")

    def pending(unique: str | None, entry_id: str | None = None) -> Pending:
        return Pending("screening", entry_id or uuid7(), b"salt", "0" * 64, b"{}", unique)

    twin = uuid7()
    batch = [pending("old"), pending("new"), pending(None), pending("new"), pending(None, twin), pending("x", twin)]
    with store._lock:
        store._writer.commit(batch)
    assert [item.receipt.index if item.receipt else None for item in batch] == [None, 1, 2, None, 3, None]
    assert [item.recorded_at for item in batch] == [0, None, None, 1, None, 3]
    with store._lock:
        store._writer.commit(again := [pending("old"), pending("new")])
    assert [item.recorded_at for item in again] == [0, 1]
    assert store.size() == 4


def test_threads_that_send_the_same_key_store_it_once(store: LogStore) -> None:
    outcomes: list[int] = []

    def send(number: int) -> None:
        for key in range(20):
            try:
                outcomes.append(store.append("screening", b"%d" % number, unique=f"key-{key}").index)
            except AlreadyRecorded as repeated:
                assert repeated.index < store.size()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == list(range(20))
    assert store.size() == 20


def test_a_database_that_cannot_be_written_gives_not_durable_and_then_recovers(store: LogStore) -> None:
    store.append("screening", b"{}")

    def deny(action: int, table: str | None, *_: object) -> int:
        inserts = action == pysqlite3.SQLITE_INSERT and table == "log_checkpoint"
        return pysqlite3.SQLITE_DENY if inserts else pysqlite3.SQLITE_OK

    # In the middle of a commit: the entries are inserted, their checkpoint is not.
    store._database._connection.set_authorizer(deny)
    with pytest.raises(NotDurable) as failure:
        store.append("screening", b'{"name":"Secret"}')
    assert "Secret" not in str(failure.value)
    assert failure.value.__cause__ is None
    assert store.size() == 1
    assert store.fault() is None
    assert store.append("screening", b"{}").index == 1
    assert verify(export_lines(store), store.verifier_key).ok


def test_fault_says_so_while_the_disk_takes_nothing(store: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = store._database._connect

    def filled():
        connection = connect()
        connection.execute("PRAGMA max_page_count=1")  # no more than there are
        return connection

    monkeypatch.setattr(store._database, "_connect", filled)
    store._database.disconnect()
    with pytest.raises(NotDurable):
        store.append("screening", os.urandom(100_000).hex().encode())
    assert store.fault() == "SQLITE_FULL"
    monkeypatch.undo()
    assert store.fault() is None


def test_a_closed_log_takes_nothing(store: LogStore) -> None:
    store.close()
    store.close()
    assert store.fault() == "closed"
    with pytest.raises(NotDurable):
        store.append("screening", b"{}")


def test_another_key_or_name_is_refused_at_the_door(open_store: Open, tmp_path: Path, key: SigningKey) -> None:
    open_store().append("screening", b"{}")
    for other in (create_signing_key(tmp_path / "other.pem", key.name), SigningKey("other.invalid", key._private)):
        with pytest.raises(LogError, match="another name or key"):
            open_store(signed_by=other)
    assert open_store().append("screening", b"{}").index == 1


def test_a_file_that_is_no_database_is_one_clear_line(open_store: Open, tmp_path: Path) -> None:
    (tmp_path / "log.sqlite").write_bytes(b"this is not a database" * 100)
    with pytest.raises(LogError, match=r"SQLITE_NOTADB|DatabaseError"):
        open_store()


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("UPDATE log_entry SET leaf = CAST(replace(CAST(leaf AS TEXT), '2026', '2027') AS BLOB)", "time"),
        ("UPDATE log_entry SET leaf = X'00'", "leaf"),
        ("UPDATE log_entry SET leaf_hash = X'00'", "leaf hash"),
        ("UPDATE log_entry SET kind = 'refusal'", "kind"),
        ("UPDATE log_entry SET at = '2020'", "time"),
        ("UPDATE log_entry SET salt = X'00'", "commits"),
        ("UPDATE log_entry SET payload = X'00'", "read"),
    ],
)
def test_an_entry_changed_behind_its_back_is_not_shown_again(
    store: LogStore, tmp_path: Path, sql: str, what: str
) -> None:
    receipt = store.append("screening", b"{}")
    tamper(tmp_path, sql)
    with pytest.raises(LogDamaged, match=what):
        store.get(receipt.entry_id)
    with pytest.raises(LogDamaged):
        list(store.entries(0, 1))


def test_an_entry_without_a_leaf_is_damaged_and_no_crash() -> None:
    # The schema forbids it; a database file after a disk that lied about a sync has had it (test_power_cut.py).
    row = SimpleNamespace(idx=3, leaf=None, salt=b"", payload=b"")
    with pytest.raises(LogDamaged, match="entry 3 of the log is damaged: there is text, or nothing"):
        read_row(row, b"{}")


def test_entries_that_swapped_ids_are_not_shown_for_each_other(store: LogStore, tmp_path: Path) -> None:
    first, second = store.append("screening", b"1"), store.append("screening", b"2")
    for row, entry_id in ((0, "passing"), (1, first.entry_id), (0, second.entry_id)):
        tamper(tmp_path, "UPDATE log_entry SET entry_id = ? WHERE idx = ?", entry_id, row)
    with pytest.raises(LogDamaged, match="id"):
        store.get(first.entry_id)


def test_an_erased_payload_leaves_leaf_and_proof(store: LogStore, tmp_path: Path) -> None:
    receipt = store.append("screening", b'{"a":1}')
    store.append("erasure", erasure_payload([receipt.entry_id], "retention"))
    tamper(tmp_path, "UPDATE log_entry SET payload = NULL, salt = NULL WHERE idx = 0")
    assert store.get(receipt.entry_id).payload is None
    assert verify(export_lines(store), store.verifier_key).ok


def test_proofs_out_of_range_are_refused(store: LogStore) -> None:
    store.append("screening", b"{}")
    with pytest.raises(ValueError, match="entries"):
        store.inclusion_proof(0, 2)
    with pytest.raises(ValueError, match="no leaf"):
        store.inclusion_proof(1, 1)


def test_a_log_carried_across_a_fork_is_refused(store: LogStore, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = itertools.count(10_000_000)
    monkeypatch.setattr("os.getpid", lambda: next(pids))
    with pytest.raises(RuntimeError, match="fork"):
        store.append("screening", b"{}")
