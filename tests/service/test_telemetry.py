"""Ordinary logs: lines of JSON that stay whole whatever else writes, and that say why a worker cannot start."""

import json
import subprocess
import sys

from tests.service.serving import environment_of

WRITES = """
import logging, sys
class Writes:
    def __init__(self): self.all = []
    def write(self, text): self.all.append(text)
    def flush(self): pass
sys.stderr = said = Writes()
from service.telemetry import configure_logging, logger
configure_logging()
logger().info("one")
logging.getLogger("psycopg").warning("error ignored terminating a pipeline")
logger().warning("two", count=2)
print(len(said.all), repr(said.all))
assert [text.count("\\n") for text in said.all] == [1, 1] and all(text.endswith("}\\n") for text in said.all)
"""


def test_an_event_is_one_write_so_that_those_of_two_workers_cannot_run_into_each_other():
    done = subprocess.run([sys.executable, "-c", WRITES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_worker_that_cannot_start_says_why_in_one_line(settings):
    (settings.models / "test-1" / "model.json").write_text("{}")
    command = [sys.executable, "-c", "from service.worker import wsgi; wsgi()"]
    done = subprocess.run(command, env=environment_of(settings, 1), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    said = json.loads(done.stderr)
    assert said["event"] == "worker_cannot_start"
    assert "signature" in said["error"]
