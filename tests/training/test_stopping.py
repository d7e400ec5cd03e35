"""A run that is told to stop leaves nothing behind: no worker, no cohort, no half model."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from training.stopping import STOPPED

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
SOON = 60.0


def eventually(found: Callable[[], object], seconds: float) -> bool:
    """Whether it comes true within so many seconds."""
    until = time.monotonic() + seconds
    while not found():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def marked(mark: Path) -> set[int]:
    """Processes whose temporary files go to `mark`: a run and its workers. What has ended and waits is none."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            environment = (place / "environ").read_bytes().split(b"\0")
            state = (place / "stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):  # it ended while we looked
            continue
        if b"TMPDIR=" + bytes(mark) in environment and state != "Z":
            found.add(int(place.name))
    return found


@pytest.mark.parametrize("moment", ["reading and checking cases", "judged model: boosted bags"])
def test_a_run_that_is_terminated_ends_its_workers_and_removes_what_it_wrote(tmp_path: Path, moment: str) -> None:
    mark, out = tmp_path / "temporary", tmp_path / "out"
    mark.mkdir()
    command = [sys.executable, "-m", "training", "train", "--families", "1500", "--jobs", "2", "--out", str(out)]
    env = {**os.environ, "TMPDIR": str(mark), "PYTHONUNBUFFERED": "1"}
    with (
        (tmp_path / "said").open("w") as said_to,
        subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=said_to) as run,
    ):
        try:
            assert eventually(lambda: moment in (tmp_path / "said").read_text(), PATIENCE), "the moment never came"
            if "bags" in moment:
                assert eventually(lambda: len(marked(mark)) > 2, PATIENCE), "no worker was there to be ended"
            run.send_signal(signal.SIGTERM)
            assert run.wait(SOON) == STOPPED == 143
        finally:
            run.kill()
    said = (tmp_path / "said").read_text()
    assert "Traceback" not in said
    assert eventually(lambda: not marked(mark), SOON), "a worker lives on"
    assert list(mark.iterdir()) == []
    assert eventually(lambda: not list(Path("/dev/shm").glob(f"joblib_memmapping_folder_{run.pid}_*")), SOON)
    assert not out.exists()
