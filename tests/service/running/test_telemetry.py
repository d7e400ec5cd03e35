"""Ordinary logs: lines of JSON that stay whole whatever else writes, and that say why a worker cannot start."""

import json
import re
import signal
import subprocess
import sys

from tests.service.serving import environment_of

SAYS = """
import logging
from service.running.telemetry import configure_logging, logger
configure_logging()
logger().info("one")
logging.getLogger("psycopg").warning("error ignored terminating a pipeline")
logger().warning("two", text="x" * 2000)
print("went on")
"""
LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))" + SAYS
TRACED = "import os; whole = os.write; os.write = lambda file, text: whole(file, b'<' + text + b'>')" + SAYS


def test_an_event_is_one_write_so_that_those_of_two_workers_cannot_run_into_each_other():
    done = subprocess.run([sys.executable, "-c", TRACED], capture_output=True, text=True, check=True)
    assert re.fullmatch(r'<\{[^\n]*"one"[^\n]*\}\n><\{[^\n]*"two"[^\n]*\}\n>', done.stderr)


def test_what_cannot_be_written_stops_nobody(tmp_path):
    file = tmp_path / "said"
    with file.open("wb") as output:
        command = [sys.executable, "-c", LIMITED]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=output, text=True, check=True)
    assert done.stdout == "went on\n"
    assert file.stat().st_size == 100  # as a full disk cuts a line


def test_a_worker_that_cannot_start_says_why_once_and_waits_until_it_can(settings):
    model = settings.models / "test-1" / "model.json"
    whole = model.read_bytes()
    model.write_text("{}")
    command = [sys.executable, "-c", "from service.running.worker import asgi; asgi()"]
    worker = subprocess.Popen(command, env=environment_of(settings, 1), stderr=subprocess.PIPE, text=True)
    try:
        said = json.loads(worker.stderr.readline())
        assert said["event"] == "worker_cannot_start"
        assert "signature" in said["error"]
        model.write_bytes(whole)
        assert json.loads(worker.stderr.readline())["event"] == "worker_ready"
        assert worker.wait(30) == 0
    finally:
        worker.kill()
        worker.communicate()


def test_a_worker_that_waits_ends_when_it_is_told_to(settings):
    (settings.models / "test-1" / "model.json").write_text("{}")
    command = [sys.executable, "-c", "from service.running.worker import asgi; asgi()"]
    worker = subprocess.Popen(command, env=environment_of(settings, 1), stderr=subprocess.PIPE, text=True)
    try:
        worker.stderr.readline()
        worker.terminate()
        assert worker.wait(5) == 128 + signal.SIGTERM
    finally:
        worker.kill()
        worker.communicate()
