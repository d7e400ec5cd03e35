"""`/readyz` tells the truth: each fault is made for real, seen, and gone once it is mended."""

import json
import os
import signal
import time
import urllib.error
import urllib.request
from dataclasses import replace

import pytest

from service.access.key_records import create_recorded_key, keys_were_made
from service.access.keys import KEY_FILE, SECONDS_BETWEEN_LOOKS, create_key
from service.log.rotation import rotate
from service.running import readiness as module
from service.running.assembly import LOG_KEY, open_log, start_publisher
from service.running.readiness import Places, Readiness
from tests.service.serving import Refused, serving, wait_until


@pytest.fixture
def readiness(service):
    settings = service.settings
    publisher = start_publisher(service.log, settings)
    made = Readiness(
        service.log, service.released, Places(settings.keys, settings.keys / LOG_KEY, settings.checkpoints)
    )
    wait_until(lambda: (settings.checkpoints / "checkpoint").exists())
    yield made
    publisher.stop()


def test_all_is_well(readiness):
    assert readiness.checks() == dict.fromkeys(("log", "model", "key", "api_keys", "checkpoints"), "ok")
    assert readiness.faults() == {}


def test_a_model_that_is_gone_altered_or_of_another_key_is_said(readiness, service):
    model = service.released.folder / "model.json"
    data = model.read_bytes()
    model.unlink()
    assert readiness.faults()["model"].startswith("test-1: cannot read the model")
    model.write_bytes(data.replace(b"0", b"1", 1))
    assert readiness.faults()["model"].startswith("test-1: the model's signature does not fit")
    model.write_bytes(data)
    assert readiness.faults() == {}
    for name, said in (("release.pub.pem", "no key"), ("away", "")):
        (service.settings.keys / "release.pub.pem").rename(service.settings.keys / "away")
        (service.settings.keys / name).write_text(said)
        assert "/" not in readiness.faults()["model"], "where files lie is for the ordinary log alone"


def test_a_log_key_that_is_gone_is_said(readiness, service):
    key = service.settings.keys / LOG_KEY
    key.rename(key.with_suffix(".away"))
    assert "restore it from your backup" in readiness.faults()["key"]
    key.with_suffix(".away").rename(key)
    assert readiness.faults() == {}


def test_a_key_file_that_is_gone_or_unreadable_is_said(readiness, service):
    path = service.settings.keys / KEY_FILE
    kept = path.read_bytes()
    path.unlink()
    assert "is gone" in readiness.faults()["api_keys"]
    path.mkdir()
    assert readiness.faults()["api_keys"] == f"{KEY_FILE}: Is a directory"
    path.rmdir()
    path.write_text("no keys")
    assert "not a key file" in readiness.faults()["api_keys"]
    path.write_bytes(kept)
    assert readiness.faults() == {}


def test_a_service_without_keys_yet_is_ready_for_them(service):
    settings = service.settings
    (settings.keys / KEY_FILE).unlink()
    places = Places(settings.keys, settings.keys / LOG_KEY, settings.checkpoints)
    made = Readiness(service.log, service.released, places)
    assert made.checks()["api_keys"] == "ok"
    create_key(settings.keys, "practitioner")
    assert made.checks()["api_keys"] == "ok"
    (settings.keys / KEY_FILE).unlink()
    assert "is gone" in made.checks()["api_keys"]


def test_a_worker_that_starts_while_the_key_file_is_gone_says_so_until_it_is_back(settings):
    key = create_recorded_key(settings, lambda: open_log(settings), "practitioner", None)[0]
    path = settings.keys / KEY_FILE
    with serving(settings, GROUNDS_WORKERS="1") as served:
        mine = replace(served, key=key)
        assert mine.screen()["score"] > 0
        path.rename(path.with_name("away"))
        (worker,) = served.workers()
        os.kill(worker, signal.SIGKILL)
        wait_until(
            lambda: readiness_said(served).get("api_keys") == f"{KEY_FILE}: is gone; restore it from your backup"
        )
        with pytest.raises(Refused, match="401 unknown_key"):
            mine.screen()
        path.with_name("away").rename(path)
        wait_until(lambda: served.ready() is not None)
        time.sleep(SECONDS_BETWEEN_LOOKS)
        assert mine.screen()["score"] > 0


def readiness_said(served):
    """The checks of a worker that is not ready."""
    try:
        with urllib.request.urlopen(f"{served.address}/readyz", timeout=5):
            return {}
    except urllib.error.HTTPError as error:
        with error:
            return json.loads(error.read())["checks"]
    except OSError:
        return {}


def test_the_change_of_the_logs_key_is_no_key_of_a_caller(settings):
    log = open_log(settings)
    log.append("screening", b"{}")
    log.close()
    rotate(settings.log_database, settings.keys / LOG_KEY, settings.origin)
    log = open_log(settings)
    try:
        assert not keys_were_made(log)
        create_recorded_key(settings, lambda: open_log(settings), "auditor", None)
        assert keys_were_made(log)
    finally:
        log.close()


def test_checkpoints_that_are_not_published_are_said(readiness, service, monkeypatch):
    monkeypatch.setattr(module, "BEHIND_SECONDS", 0.0)
    folder = service.settings.checkpoints
    folder.rename(folder.with_name("away"))
    folder.write_text("in the way of the folder")
    service.log.append("service_started", b"{}")
    wait_until(lambda: "checkpoints" in readiness.faults())
    folder.unlink()
    folder.with_name("away").rename(folder)
    wait_until(lambda: readiness.faults() == {})


def test_a_database_that_is_gone_is_said_and_nothing_is_scored(readiness, service):
    service.log.close()
    assert readiness.faults() == {"log": "closed"}
    assert service.screen().status_code == 503
