"""Promise 2: no score without its record, with real worker processes, real sockets and a real kill."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from service.log.export import export_lines
from service.log.verifier import verify
from service.running.assembly import open_log
from tests.service.serving import Refused, serving

SECONDS_UNDER_LOAD = 6
CLIENTS = 8


@pytest.fixture
def served(settings):
    """The real server with two workers on a free port."""
    with serving(settings) as running:
        yield running


def load(served, acknowledged, stop, first):
    number = first
    while not stop.is_set():
        try:
            answer = served.screen(number)
        except OSError:
            time.sleep(0.02)  # a killed worker's connections break; its clients try again, as real ones do
        else:
            acknowledged.append((answer["screening_id"], answer["record"]["index"], answer["record"]["leaf_hash"]))
        number += CLIENTS


def test_kill_9_of_a_worker_under_load_loses_no_acknowledged_record(served, settings):
    acknowledged, stop = [], threading.Event()
    clients = [threading.Thread(target=load, args=(served, acknowledged, stop, n)) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        time.sleep(SECONDS_UNDER_LOAD / 3)
        victims = served.workers()
        assert len(victims) == 2
        before_kill = len(acknowledged)
        os.kill(victims[0], signal.SIGKILL)
        time.sleep(SECONDS_UNDER_LOAD * 2 / 3)
    finally:
        stop.set()
        for client in clients:
            client.join(30)
    served.process.send_signal(signal.SIGTERM)
    served.process.wait(30)

    assert before_kill > 50
    assert len(acknowledged) > before_kill, "the service did not go on after a worker was killed"
    log = open_log(settings)
    try:
        for screening_id, index, leaf_hash in acknowledged:
            entry = log.get(screening_id)
            assert entry is not None
            assert (entry.index, entry.leaf_hash) == (index, leaf_hash)
            assert json.loads(entry.payload)["answer"]["screening_id"] == screening_id
        report = verify(export_lines(log), log.verifier_key)
    finally:
        log.close()
    assert report.ok, report.problems
    assert report.size >= len(acknowledged)


@pytest.mark.parametrize("taken", ["renamed", "removed"])
def test_a_log_whose_files_are_taken_away_gives_503_and_no_score(served, settings, taken):
    database = settings.log_database
    files = [database.with_name(database.name + ending) for ending in ("", "-wal", "-shm")]
    before = [served.screen(number) for number in range(20)]
    for path in files:
        path.rename(f"{path}.away") if taken == "renamed" else path.unlink()
    for number in range(20, 40):  # both workers are asked
        with pytest.raises(Refused, match="503 not_recorded") as refused:
            served.screen(number)
        assert "score" not in refused.value.problem
        assert served.ready() is None
    assert not any(path.exists() for path in files)
    if taken == "removed":
        return
    for path in files:
        path.with_name(f"{path.name}.away").rename(path)
    after = [served.screen(number) for number in range(40, 60)]
    assert served.ready() is not None
    served.process.send_signal(signal.SIGTERM)
    served.process.wait(30)
    log = open_log(settings)
    try:
        kept = {log.get_index(answer["record"]["index"]).entry_id for answer in before + after}
        report = verify(export_lines(log), log.verifier_key)
    finally:
        log.close()
    assert kept == {answer["screening_id"] for answer in before + after}
    assert report.ok, report.problems


def test_a_log_that_cannot_be_written_gives_503_and_no_score_and_recovers(service, monkeypatch):
    assert service.screen().status_code == 201
    writer = service.log._writer
    monkeypatch.setattr(writer, "commit", _disk_full)
    response = service.screen({"parent_mental_health_history": "yes"})
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert "score" not in response.get_json()
    ready = service.client.get("/readyz")
    assert ready.status_code == 503 or "fault" not in ready.get_json()
    monkeypatch.undo()
    assert service.screen().status_code == 201
    assert verify(export_lines(service.log), service.log.verifier_key).ok


def _disk_full(batch):
    raise OSError(28, "No space left on device")


def test_the_workers_import_no_learner_and_start_small(served):
    assert len(served.workers()) == 2
    for worker in served.workers():
        mapped = Path(f"/proc/{worker}/maps").read_text()
        for library in ("numpy", "sklearn", "scipy", "pandas", "shap"):
            assert f"/{library}/" not in mapped
