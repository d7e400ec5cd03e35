"""A stop in order: what is in hand is answered and what was counted is written, however often it is asked for."""

import os
import signal
import subprocess
import sys
import threading
import time

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from service.access.keys import create_key
from service.running.assembly import open_log
from tests.service.running.test_metrics import figure
from tests.service.serving import Served, environment_of, free_port, serving, wait_until

WRITES_COUNTS_AT_ITS_END_ALONE = """
import sys
from service.__main__ import cli
from service.running import metrics
metrics.BETWEEN_WRITES = 3600.0
sys.argv = ["service", "serve"]
cli()
"""
ANSWERED = 'grounds_requests_total{method="POST",route="/v1/screenings",status="201"}'


def counted(settings):
    """How many screenings the files of counts tell of."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(settings.run / "metrics"))
    return figure(generate_latest(registry).decode(), ANSWERED)


def test_what_a_worker_put_aside_is_written_at_its_end(settings):
    key, port = create_key(settings.keys, "practitioner")[0], free_port()
    command = [sys.executable, "-c", WRITES_COUNTS_AT_ITS_END_ALONE]
    process = subprocess.Popen(command, env=environment_of(settings, port), start_new_session=True)
    served = Served(port, key, process)
    try:
        wait_until(lambda: served.ready() is not None)
        for number in range(12):
            served.screen(number)
        assert counted(settings) is None, "they are written already: this test would see nothing"
        process.send_signal(signal.SIGTERM)
        assert process.wait(25) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert counted(settings) == 12


def test_a_stop_that_is_asked_for_again_and_again_is_still_in_order(settings):
    """As an impatient supervisor does, and one that tells every process of a group, as systemd may."""
    with serving(settings, GROUNDS_WORKERS="1") as served:  # with two, one may have nothing in hand and end at once
        log, answers, faults = open_log(settings), [], []

        def client(number):
            try:
                answers.append(served.screen(number, timeout=30)["record"]["index"])
            except OSError as error:
                faults.append(repr(error))

        clients = [threading.Thread(target=client, args=(number,)) for number in range(8)]
        (worker,) = served.workers()
        try:
            with log.exclusive():  # no commit can end meanwhile, so all eight are in hand
                for one in clients:
                    one.start()
                time.sleep(1)
                for _ in range(6):
                    served.process.send_signal(signal.SIGTERM)
                    time.sleep(0.1)
                    os.kill(worker, signal.SIGTERM)
                assert answers == []
            for one in clients:
                one.join()
        finally:
            log.close()
        assert served.process.wait(20) == 0  # a worker that hangs is killed after 30 seconds
        assert faults == []
        assert len(set(answers)) == 8
    log = open_log(settings)
    try:
        assert log.latest_of_kind("service_stopped") is not None
    finally:
        log.close()
