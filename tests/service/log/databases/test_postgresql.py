"""The log in a real PostgreSQL: the same order, the same durability, and no more rights than it needs."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from service.log.checkpoint import SigningKey, load_signing_key
from service.log.databases.postgresql import LOCK
from service.log.databases.roles import grant
from service.log.entry import uuid7
from service.log.export import export_lines
from service.log.key_file import FollowedKey
from service.log.rotation import rotate
from service.log.schema import LogError
from service.log.store import AlreadyRecorded, LogStore, NotDurable
from service.log.verifier import verify

APPENDER = Path(__file__).parents[1] / "appender.py"


@pytest.fixture
def open_log(url: str, key: SigningKey) -> Iterator[Callable[..., LogStore]]:
    opened = []

    def open_log(where: str = url) -> LogStore:
        opened.append(LogStore.open(where, key))
        return opened[-1]

    yield open_log
    for store in opened:
        store.close()


def test_what_is_appended_is_read_back_proved_and_verified(open_log, key):
    store = open_log()
    receipts = [store.append("screening", b'{"n":%d,"text":"%b"}' % (n, b"x" * 5000)) for n in range(5)]
    assert [receipt.index for receipt in receipts] == list(range(5))
    assert store.size() == 5
    entry = store.get(receipts[3].entry_id)
    assert entry.payload.startswith(b'{"n":3,')
    assert key.verifier.open(entry.checkpoint).size == 4
    assert store.fault() is None
    store.learn(b'{"text":"' + b"x" * 9000 + b'"}')
    assert store.append("refusal", b'{"text":"xxxx"}').index == 5
    assert store.latest_of_kind("refusal").payload == b'{"text":"xxxx"}'
    assert verify(export_lines(store), key.verifier).ok
    assert open_log().size() == 6


def test_what_is_recorded_already_is_told_apart_in_one_batch(open_log):
    store = open_log()
    first = store.append("screening", b"{}", unique="one")
    outcomes: list[object] = []

    def append(unique: str) -> None:
        try:
            outcomes.append(store.append("screening", b"{}", unique=unique).index)
        except AlreadyRecorded as recorded:
            outcomes.append(f"again {recorded.index}")

    threads = [threading.Thread(target=append, args=(unique,)) for unique in ("one", "two", "three", "one")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == ["1", "2", f"again {first.index}", f"again {first.index}"]
    assert store.size() == 3


def _start(folder: Path, name: str, threads: int, appends: int, url: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(APPENDER), str(folder), name, str(threads), str(appends), url]
    with (folder / f"{name}.acknowledged").open("w") as said:
        return subprocess.Popen(command, stdout=said, stderr=subprocess.PIPE, text=True)


def _acknowledged(folder: Path, name: str) -> dict[str, int]:
    whole = (folder / f"{name}.acknowledged").read_text().rpartition("\n")[0].splitlines()
    return {line.split()[0]: int(line.split()[1]) for line in whole}


def test_processes_and_threads_see_one_total_order(tmp_path, key, url, open_log):
    # Nobody has opened the log yet: the two also race for its making.
    processes = [_start(tmp_path, name, 8, 25, url) for name in ("one", "two")]
    for process in processes:
        error = process.communicate(timeout=120)[1]
        assert process.returncode == 0, error
    store = open_log()
    said = _acknowledged(tmp_path, "one") | _acknowledged(tmp_path, "two")
    assert {entry.entry_id: entry.index for entry in store.entries(0, store.size())} == said
    assert sorted(said.values()) == list(range(400))
    assert verify(export_lines(store), key.verifier).ok


def test_a_killed_process_loses_nothing_that_it_acknowledged(tmp_path, key, url, open_log):
    survivor, victim = (_start(tmp_path, name, 4, 300, url) for name in ("survivor", "victim"))
    deadline = time.monotonic() + 60
    while len(_acknowledged(tmp_path, "victim")) < 50 and time.monotonic() < deadline:
        time.sleep(0.01)
    victim.kill()
    victim.communicate()
    error = survivor.communicate(timeout=120)[1]
    assert survivor.returncode == 0, error
    store = open_log()
    stored = {entry.entry_id: entry.index for entry in store.entries(0, store.size())}
    said = _acknowledged(tmp_path, "victim")
    assert 50 <= len(said) < 1200
    assert (said | _acknowledged(tmp_path, "survivor")).items() <= stored.items()
    assert verify(export_lines(store), key.verifier).ok


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_goes_and_comes_back_loses_nothing(mode, server, open_log, key):
    store = open_log()
    kept: dict[str, int] = {}
    refused = 0
    stopped = threading.Event()

    def append() -> None:
        nonlocal refused
        while not stopped.is_set():
            try:
                receipt = store.append("screening", b'{"text":"%b"}' % (b"y" * 500))
                kept[receipt.entry_id] = receipt.index
            except NotDurable:
                refused += 1
                time.sleep(0.01)

    threads = [threading.Thread(target=append) for _ in range(4)]
    for thread in threads:
        thread.start()
    _until(lambda: len(kept) > 50)
    server.stop(mode)
    try:
        assert store.fault() is not None
        _until(lambda: refused > 0)
    finally:
        server.start()
    before = len(kept)
    _until(lambda: len(kept) > before + 50)
    stopped.set()
    for thread in threads:
        thread.join()
    assert store.fault() is None
    stored = {entry.entry_id: entry.index for entry in store.entries(0, store.size())}
    assert kept.items() <= stored.items()
    assert verify(export_lines(store), key.verifier).ok


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_service_needs_no_more_than_to_insert_and_to_read(server, url, open_log):
    open_log().append("screening", b"{}")
    database = url.rpartition("/")[2]
    for role in ("service", "auditor"):
        server.execute(f"DROP ROLE IF EXISTS {role}")
        server.execute(f"CREATE ROLE {role} LOGIN")
    grant(url, service="service", auditor="auditor")
    store = open_log(server.url(database, "service"))
    assert store.append("screening", b"{}").index == 1
    store.learn(b'{"text":"sample"}')
    assert store.fault() is None
    read_only = LogStore.open(server.url(database, "auditor"), store._key)
    assert read_only.size() == 2
    with pytest.raises(NotDurable, match="InsufficientPrivilege"):
        read_only.append("screening", b"{}")
    read_only.close()
    for role, statement in (
        ("service", "UPDATE log_entry SET payload = NULL"),
        ("service", "DELETE FROM log_entry"),
        ("service", "TRUNCATE log_checkpoint"),
        ("service", "UPDATE log_checkpoint SET text = ''"),
        ("service", "DROP TABLE log_entry"),
        ("auditor", "INSERT INTO log_dictionary VALUES (9, '', '')"),
    ):
        with psycopg.connect(server.url(database, role)) as connection:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
            connection.rollback()


def test_a_server_that_would_lose_what_it_acknowledged_is_refused(server, url, key):
    server.execute("ALTER SYSTEM SET fsync = off")
    server.execute("SELECT pg_reload_conf()")
    try:
        with pytest.raises(LogError, match="fsync"):
            LogStore.open(url, key)
    finally:
        server.execute("ALTER SYSTEM RESET fsync")
        server.execute("SELECT pg_reload_conf()")


def test_a_database_that_is_not_there_is_one_line_without_a_password(server, key):
    with pytest.raises(LogError) as failure:
        LogStore.open(f"postgresql://someone:secret@127.0.0.1:{server.port}/nowhere", key)
    assert "secret" not in str(failure.value)
    assert "\n" not in str(failure.value)


def test_the_log_s_key_is_changed_while_workers_append(tmp_path, key, url):
    worker = LogStore.open(url, FollowedKey(tmp_path / "log.pem", key.name))
    worker.append("screening", b"{}")
    done = rotate(url, tmp_path / "log.pem", key.name)
    assert done.index == 1
    assert worker.append("screening", b"{}").index == 2
    assert worker.verifier_key.text == done.following.text != key.verifier.text
    for either in (key.verifier, done.following):
        assert verify(export_lines(worker), either).ok
    worker.close()


def test_a_host_whose_key_was_changed_elsewhere_signs_nothing(tmp_path, key, url):
    other = LogStore.open(url, load_signing_key(tmp_path / "log.pem", key.name))  # of another host: a key of its own
    other.append("screening", b"{}")
    done = rotate(url, tmp_path / "log.pem", key.name)
    with pytest.raises(NotDurable, match="LogError"):
        other.append("screening", b"{}")
    assert other.size() == done.index + 1
    other.close()


def test_a_frozen_writer_does_not_keep_the_lock(tmp_path, url, open_log):
    store = open_log()
    store.append("screening", b"{}")
    with psycopg.connect(url) as frozen:
        frozen.execute("SET idle_in_transaction_session_timeout = '1s'")
        frozen.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        assert store.append("screening", b"{}").index == 1
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            frozen.execute("SELECT 1")


def test_the_service_s_own_connections_end_when_they_freeze(open_log):
    with open_log()._engine.connect() as connection:
        shown = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            for name in ("idle_in_transaction_session_timeout", "default_transaction_isolation", "synchronous_commit")
        }
    assert shown == {
        "idle_in_transaction_session_timeout": "5s",
        "default_transaction_isolation": "read committed",
        "synchronous_commit": "on",
    }


def test_several_entries_in_one_commit_are_all_recorded_or_none(open_log, key):
    store = open_log()
    given = [(uuid7(), b'{"n":%d}' % number, f"many {number}") for number in range(600)]
    receipts = store.append_whole("screening", given)
    assert [receipt.index for receipt in receipts] == list(range(600))
    with pytest.raises(AlreadyRecorded):
        store.append_whole("screening", [(uuid7(), b"{}", None), (uuid7(), b"{}", "many 7")])
    assert store.size() == 600
    assert store.append("lookup", b"{}").index == 600
    assert verify(export_lines(store), key.verifier).ok
