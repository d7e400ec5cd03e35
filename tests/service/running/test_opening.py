"""A log begins once. What is missing is said, and never begun anew under the key and the name that others know."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from service.log.checkpoint import create_signing_key
from service.log.key_file import first_file
from service.log.publisher import CheckpointPublisher
from service.log.schema import LogError
from service.log.store import LogStore
from service.running.opening import LOG_KEY, check_log, open_log, read_log
from service.running.readiness import Places, Readiness
from tests.service.serving import environment_of, free_port


def published(settings, entries):
    """A log of so many entries whose newest checkpoint is published, closed again."""
    log = open_log(settings)
    for _ in range(entries):
        log.append("screening", b"{}")
    publisher = CheckpointPublisher(log, settings.checkpoints, pytest.fail)
    publisher.publish()
    publisher.stop()
    log.close()


def files(settings):
    return sorted(str(path.relative_to(settings.var)) for path in settings.var.rglob("*") if not path.is_dir())


def database_files(settings):
    return [settings.log_database.with_name(f"log.sqlite{ending}") for ending in ("", "-wal", "-shm")]


def remove(settings):
    for path in database_files(settings):
        path.unlink(missing_ok=True)


def run(settings, *arguments):
    command = [sys.executable, "-m", "service", *arguments]
    environment = environment_of(settings, free_port())
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


READING = [
    ("log", "checkpoint"),
    ("log", "verify"),
    ("log", "prove", "00000000-0000-7000-8000-000000000000"),
    ("log", "prove-consistency", "0"),
    ("log", "export", "--out", "-"),
    ("log", "models"),
    ("log", "looks"),
    ("log", "responses"),
    ("log", "replay"),
    ("log", "retain", "--dry-run"),
    ("log", "erase", "--case-ref", "case-1", "--reason", "court_order", "--by", "records_manager"),
]


@pytest.mark.parametrize("arguments", READING, ids=lambda arguments: arguments[1])
def test_a_command_that_reads_begins_no_log_and_makes_no_key(arguments, settings):
    before = files(settings)
    done = run(settings, *arguments)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "there is no log yet; the service's first start begins it (make run)" in done.stderr
    assert files(settings) == before


@pytest.mark.parametrize("left", ["database", "checkpoints"])
def test_a_log_of_which_anything_is_left_is_gone_and_not_to_come(left, settings):
    published(settings, 1)
    for name in (LOG_KEY, "log.pub"):
        (settings.keys / name).unlink()
    if left == "database":
        shutil.rmtree(settings.checkpoints)
    else:
        remove(settings)
    assert "public key is not here; restore it, or name a log" in run(settings, "log", "verify").stderr
    assert "key is not here; restore it from your backup" in run(settings, "log", "export", "--out", "-").stderr


@pytest.mark.parametrize("arguments", [("serve",), ("log", "checkpoint"), ("log", "export", "--out", "-")])
def test_a_log_whose_database_is_gone_is_not_begun_anew(arguments, settings):
    published(settings, 3)
    remove(settings)
    key = (settings.keys / LOG_KEY).read_bytes()
    done = run(settings, *arguments)
    assert done.returncode == 1
    assert "restore it from your backup" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not any(path.exists() for path in database_files(settings))
    assert (settings.keys / LOG_KEY).read_bytes() == key


def test_an_empty_file_in_its_place_is_no_log(settings):
    published(settings, 3)
    remove(settings)
    settings.log_database.touch()
    with pytest.raises(LogError, match="there is no log in it"):
        open_log(settings)


def test_a_log_shorter_than_was_published_is_not_opened_but_can_be_read(settings):
    published(settings, 2)
    kept = settings.log_database.with_name("kept")
    shutil.copyfile(settings.log_database, kept)
    published(settings, 3)
    remove(settings)
    shutil.copyfile(kept, settings.log_database)
    with pytest.raises(LogError, match="has 2 entries, and 5 were published"):
        open_log(settings)
    assert run(settings, "log", "verify").returncode == 0
    assert "has 2 entries, and 5 were published" in run(settings, "log", "export", "--out", "-").stderr
    log = read_log(settings)
    assert log.size() == 2
    log.close()


def test_a_log_whose_key_is_gone_gets_no_other(settings):
    published(settings, 1)
    (settings.keys / LOG_KEY).rename(settings.keys / "away.pem")
    shutil.rmtree(settings.checkpoints)
    before = files(settings)
    with pytest.raises(LogError, match="signing key is gone; restore the key"):
        open_log(settings)
    assert set(files(settings)) - set(before) <= {"keys/log.lock"}
    (settings.keys / "away.pem").rename(settings.keys / LOG_KEY)
    open_log(settings).close()


def test_a_log_is_read_with_either_half_of_its_key(settings):
    published(settings, 1)
    (settings.keys / LOG_KEY).rename(settings.keys / "away.pem")
    assert "verified: 1 entries" in run(settings, "log", "verify").stdout
    (settings.keys / "away.pem").rename(settings.keys / LOG_KEY)
    (settings.keys / "log.pub").unlink()
    assert "verified: 1 entries" in run(settings, "log", "verify").stdout


def test_where_only_checkpoints_are_left_nothing_is_begun(settings):
    published(settings, 1)
    remove(settings)
    (settings.keys / LOG_KEY).unlink()
    with pytest.raises(LogError, match="checkpoints of a log lie here"):
        open_log(settings)
    # The documented way to begin another: what is left of the old one out of the way.
    settings.checkpoints.rename(settings.var / "old-checkpoints")
    log = open_log(settings)
    assert log.size() == 0
    log.close()


def test_looking_whether_an_entry_could_be_recorded_begins_no_log(settings):
    before = files(settings)
    check_log(settings)
    assert files(settings) == before
    published(settings, 1)
    check_log(settings)
    remove(settings)
    with pytest.raises(LogError, match="the log is gone"):
        check_log(settings)
    (settings.keys / LOG_KEY).unlink()
    with pytest.raises(LogError, match="checkpoints of a log lie here"):
        check_log(settings)


def test_where_no_log_can_be_begun_that_is_said_before_the_work(settings, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LogError, match=r"no log can be begun here; .* or set GROUNDS_VAR"):
        check_log(replace(settings, var=tmp_path / "file" / "var"))


@pytest.mark.parametrize("begun", [False, True])
def test_a_beginning_that_was_cut_off_is_finished(begun, settings):
    settings.keys.mkdir(exist_ok=True)
    key = create_signing_key(first_file(settings.keys / LOG_KEY), settings.origin)
    if begun:
        settings.log_database.parent.mkdir()
        LogStore.open(settings.log_database, key).close()
    log = open_log(settings)
    assert log.verifier_key.text == key.verifier.text
    log.close()
    assert (settings.keys / "log.pub").read_text() == f"{key.verifier.text}\n"
    assert not list(settings.keys.glob("log.first.*"))


def test_a_service_whose_log_is_shorter_than_published_is_not_ready_at_once(service):
    settings = service.settings
    for _ in range(3):
        service.log.append("screening", b"{}")
    publisher = CheckpointPublisher(service.log, settings.checkpoints, pytest.fail)
    publisher.publish()
    publisher.stop()
    readiness = Readiness(
        service.log, service.released, Places(settings.keys, settings.keys / LOG_KEY, settings.checkpoints)
    )
    assert readiness.faults() == {}
    with service.log.exclusive() as engine, engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM log_checkpoint WHERE size > 1")
    assert "has 1 entries, and 3 were published" in readiness.faults()["checkpoints"]


def test_a_log_that_grows_faster_than_it_is_published_is_ready(service, monkeypatch):
    monkeypatch.setattr("service.running.readiness.BEHIND_SECONDS", 0.0)
    settings = service.settings
    publisher = CheckpointPublisher(service.log, settings.checkpoints, pytest.fail)
    readiness = Readiness(
        service.log, service.released, Places(settings.keys, settings.keys / LOG_KEY, settings.checkpoints)
    )
    for _ in range(4):
        publisher.publish()
        service.log.append("screening", b"{}")
        assert readiness.faults() == {}
    readiness.checks()
    assert "not published for more than" in readiness.faults()["checkpoints"]
    publisher.stop()
