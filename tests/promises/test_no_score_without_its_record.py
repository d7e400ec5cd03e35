"""Promise 2: no score without its record, with real worker processes, real sockets and a real kill."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from service.access import create_key
from service.assembly import open_log
from service.log.export import export_lines
from service.log.verifier import verify

SECONDS_UNDER_LOAD = 6
CLIENTS = 8


@pytest.fixture
def serving(settings):
    """The real server with two workers on a free port."""
    key = create_key(settings.keys, "practitioner")[0]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "GROUNDS_VAR": str(settings.var),
        "GROUNDS_CHECKPOINTS": str(settings.checkpoints),
        "GROUNDS_LOG_ORIGIN": settings.origin,
        "GROUNDS_PORT": str(port),
        "GROUNDS_WORKERS": "2",
    }
    process = subprocess.Popen([sys.executable, "-m", "service", "serve"], env=environment, start_new_session=True)
    try:
        wait_until_ready(port)
        yield port, key, process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def wait_until_ready(port):
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the service did not become ready")


def post(port, key, number):
    body = json.dumps({"case_ref": f"load-{number}", "agency": "gp", "features": {"immediate_danger": "no"}}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/screenings",
        body,
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def load(port, key, acknowledged, stop, first):
    number = first
    while not stop.is_set():
        try:
            answer = post(port, key, number)
        except OSError:
            time.sleep(0.02)  # a killed worker's connections break; its clients try again, as real ones do
        else:
            acknowledged.append((answer["screening_id"], answer["record"]["index"], answer["record"]["leaf_hash"]))
        number += CLIENTS


def workers_of(process):
    """Process ids of the server's workers."""
    listed = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(process.pid)], capture_output=True, text=True)
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "service serve" in line]


def test_kill_9_of_a_worker_under_load_loses_no_acknowledged_record(serving, settings):
    port, key, process = serving
    acknowledged, stop = [], threading.Event()
    clients = [threading.Thread(target=load, args=(port, key, acknowledged, stop, n)) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        time.sleep(SECONDS_UNDER_LOAD / 3)
        victims = workers_of(process)
        assert len(victims) == 2
        before_kill = len(acknowledged)
        os.kill(victims[0], signal.SIGKILL)
        time.sleep(SECONDS_UNDER_LOAD * 2 / 3)
    finally:
        stop.set()
        for client in clients:
            client.join(30)
    process.send_signal(signal.SIGTERM)
    process.wait(30)

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


def test_the_workers_import_no_learner_and_start_small(serving):
    _, _, process = serving
    assert len(workers_of(process)) == 2
    for worker in workers_of(process):
        mapped = Path(f"/proc/{worker}/maps").read_text()
        for library in ("numpy", "sklearn", "scipy", "pandas", "shap"):
            assert f"/{library}/" not in mapped
