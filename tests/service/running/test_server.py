"""The server and its workers: a stop at any moment, a new model without a dropped request, and too many requests."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error

import pytest

from model.dictionary import shipped_dictionary
from service.access.keys import create_key
from service.model_files import load_active
from service.running.assembly import open_log
from tests.service.conftest import hand_made_model, release_into
from tests.service.running.test_metrics import figure, scraped
from tests.service.serving import Refused, environment_of, serving, wait_until


def reload_now(settings, port=1):
    command = [sys.executable, "-m", "service", "reload"]
    return subprocess.run(command, env=environment_of(settings, port), capture_output=True, text=True, timeout=150)


@pytest.mark.parametrize("delay", [0.02, 0.3])
def test_a_stop_reaches_a_worker_that_is_just_starting(settings, delay):
    with serving(settings) as served:
        os.kill(served.workers()[0], signal.SIGKILL)
        time.sleep(delay)
        served.process.send_signal(signal.SIGTERM)
        # A worker that does not hear it is killed after 30 seconds.
        # It ends with 1 where the worker's death and the stop were seen at once.
        assert served.process.wait(20) in (0, 1)


def answered(served, number):
    """As HTTP clients do: where the connection closed before anything came back, they try again (RFC 9112, 9.3.1)."""
    try:
        return served.screen(number)
    except urllib.error.URLError as error:
        if not isinstance(error.reason, ConnectionError):
            raise
    except ConnectionError:
        pass
    return served.screen(number)


def later_model():
    return hand_made_model(shipped_dictionary()).replace(b'"test-1"', b'"test-2"')


def test_a_new_model_is_taken_up_without_a_dropped_request(settings):
    with serving(settings) as served:
        before = set(served.workers())
        answers, faults, stop = [], [], threading.Event()

        def client(first):
            number = first
            while not stop.is_set():
                try:
                    answers.append(answered(served, number)["model"]["version"])
                except OSError as error:
                    faults.append(repr(error))
                number += 4

        clients = [threading.Thread(target=client, args=(n,)) for n in range(4)]
        for one in clients:
            one.start()
        release_into(settings, later_model(), version="test-2")
        done = reload_now(settings, served.port)
        stop.set()
        for one in clients:
            one.join()
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("in use: test-2 (sha256 ")
        assert faults == []
        assert answers[0] != "test-2"
        assert {served.screen(number)["model"]["version"] for number in range(20)} == {"test-2"}
        assert not before & set(served.workers())
    log = open_log(settings)
    try:
        activated = [json.loads(entry.payload)["model"]["version"] for entry in log.of_kind("model_activated")]
    finally:
        log.close()
    assert activated == ["test-1", "test-2"]


def test_a_model_that_was_altered_is_not_taken_up(settings):
    with serving(settings) as served:
        before = set(served.workers())
        folder = load_active(settings.models, settings.keys).folder
        model = folder / "model.json"
        model.write_bytes(model.read_bytes().replace(b"0", b"1", 1))
        refused = reload_now(settings, served.port)
        assert refused.returncode == 1
        assert refused.stderr.startswith("error: ")
        assert refused.stderr.count("\n") == 1
        assert set(served.workers()) == before
        assert served.screen()["score"] > 0


def test_without_a_service_a_reload_says_so(settings):
    refused = reload_now(settings)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "no service runs from this folder" in refused.stderr


def test_more_than_can_be_served_are_turned_away_at_once_and_the_rest_answered(settings):
    operator = create_key(settings.keys, "operator")[0]
    with serving(settings, GROUNDS_THREADS="2", GROUNDS_WORKERS="1") as served:
        lock = open_log(settings)
        statuses, health = [], []

        def client():
            connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
            body = json.dumps({"case_ref": "load-1", "agency": "gp", "features": {}})
            headers = {"Authorization": f"Bearer {served.key}", "Content-Type": "application/json"}
            connection.request("POST", "/v1/screenings", body, headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
            statuses.append((answer.status, said.get("code"), answer.getheader("Retry-After"), "score" in said))
            connection.close()

        try:
            clients = [threading.Thread(target=client) for _ in range(24)]
            with lock.exclusive():  # no commit can end meanwhile, as on a disk that hangs
                for one in clients:
                    one.start()
                wait_until(lambda: len(statuses) >= 20)
                connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
                connection.request("GET", "/healthz")
                health.append(connection.getresponse().status)
                connection.close()
            for one in clients:
                one.join()
            counted = scraped(served, operator)
        finally:
            lock.close()
        assert figure(counted, "grounds_queue_waiting") == 0
        assert figure(counted, "grounds_queue_seconds_count") >= 1
        assert figure(counted, "grounds_queue_seconds_sum") > 0
        turned_away = [one for one in statuses if one[0] == 503]
        assert {one[1:] for one in turned_away} == {("overloaded", "1", False)}
        assert len(turned_away) >= 20
        assert sum(one[0] == 201 for one in statuses) == 24 - len(turned_away) >= 2
        assert health == [200]


def test_a_body_or_a_header_that_is_too_large_is_not_read_to_its_end(settings):
    with serving(settings) as served:
        for head in (b"Content-Length: 500000000\r\n\r\n", b"X-Long: " + b"x" * 200_000):
            sender = socket.create_connection(("127.0.0.1", served.port), timeout=20)
            sender.sendall(
                b"POST /v1/screenings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n" % served.key.encode()
            )
            with pytest.raises(OSError, match=r"[Bb]roken|reset"):
                sender.sendall(b"Content-Type: application/json\r\n" + head)
                for _ in range(100):
                    sender.sendall(b"x" * 1_000_000)
            sender.close()
        assert served.screen()["score"] > 0


def test_a_key_that_asks_too_often_waits(settings):
    with serving(settings, GROUNDS_SCREENING_RATE="3/hour", GROUNDS_WORKERS="1") as served:
        for number in range(3):
            served.screen(number)
        with pytest.raises(Refused, match="429 rate_limited") as refused:
            served.screen(4)
        assert int(refused.value.retry_after) > 1
