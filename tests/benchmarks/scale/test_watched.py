"""What is measured from outside is what the command did."""

from __future__ import annotations

import sys

import pytest

from benchmarks.scale.watched import FIRST, CommandFailed, watch

SAYS = "import sys, time\ndef stage(name):\n    print(f'   0.0 s  {name}', file=sys.stderr, flush=True)\n"
MEBIBYTE = 1024 * 1024


def test_each_stage_has_its_own_time_and_memory_and_those_of_processes_below() -> None:
    below = "import time; kept = b'x' * (150 << 20); time.sleep(1.2)"
    work = f"""
import subprocess
stage('waits')
time.sleep(1.0)
stage('works: a child')
subprocess.run([sys.executable, '-c', {below!r}], check=True)
stage('computes')
until = time.process_time() + 1.0
while time.process_time() < until: pass
"""
    first, waits, child, computes = watch([sys.executable, "-c", SAYS + work])
    assert [first.name, waits.name, child.name, computes.name] == [FIRST, "waits", "works: a child", "computes"]
    assert 0.9 < waits.seconds < child.seconds + computes.seconds + first.seconds + 5
    assert waits.processor < 0.3
    assert computes.processor > 0.6
    assert waits.peak < 100 * MEBIBYTE
    assert child.peak > 150 * MEBIBYTE
    assert computes.peak < 100 * MEBIBYTE


def test_a_command_that_fails_says_what_it_said() -> None:
    with pytest.raises(CommandFailed, match="no such case"):
        watch([sys.executable, "-c", "import sys; print('no such case', file=sys.stderr); sys.exit(3)"])
