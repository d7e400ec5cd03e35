"""A job that is interrupted or killed leaves no file and no process; a second run works."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from model.dictionary import shipped_dictionary
from service.batch.tree import PARTITION_ROWS
from tests.service.batch.files import VERSION, entries, many_cases, screened

TOP = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    return many_cases(tmp_path_factory.mktemp("cases") / "in.parquet", shipped_dictionary(), 6 * PARTITION_ROWS)


def descendants(pid):
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def heed_interrupts():
    """Where the tests run in the background of a shell, their children would ignore them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left(settings, tmp_path, many, how):
    out = tmp_path / "out.csv"
    command = [sys.executable, "-m", "service", "screen", str(many), str(out), "--model", settings.models / VERSION]
    environment = {**os.environ, "GROUNDS_VAR": str(settings.var), "GROUNDS_LOG_ORIGIN": settings.origin}
    job = subprocess.Popen(
        command, cwd=TOP, env=environment, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=heed_interrupts
    )
    workers = wait_for(lambda: descendants(job.pid), job)
    time.sleep(0.5)
    assert job.poll() is None, "the job was over before it could be interrupted"
    if how == signal.SIGINT:
        os.killpg(job.pid, how)  # as a terminal sends it: to all of them
    else:
        job.send_signal(how)
    _, said = job.communicate(timeout=60)
    assert job.returncode != 0
    assert b"Traceback" not in said
    wait_for(lambda: not any(map(is_running, workers)), None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["var"]
    assert entries(settings) == []
    screened(settings, many, out)
    assert [entry.kind for entry in entries(settings)] == ["batch"]


def wait_for(true, job):
    end = time.monotonic() + 60
    while not (found := true()):
        assert time.monotonic() < end
        assert job is None or job.poll() is None
        time.sleep(0.02)
    return found
