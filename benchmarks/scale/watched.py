"""Runs a command and watches it from outside: the time and the peak memory of each stage that it names.

The stages are the lines that `training.progress` prints where there is no terminal: nothing is added to what is
measured.
Memory is the proportional set size (proc(5), `smaps_rollup`) of the command and all processes below it, sampled: a page
that several of them share counts once. Processor seconds are those of all of them: they say what a stage costs where
others use the machine too.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

STAGE = re.compile(r" *\d+\.\d s  (?P<name>.+)")
FIRST = "starting"
SAMPLED_EVERY = 0.2  # seconds
KIBIBYTE = 1024
TICKS = os.sysconf("SC_CLK_TCK")  # a second
LAST_WORDS = 20  # lines of a command that failed


class CommandFailed(RuntimeError):
    """The watched command ended with an exit code that is not 0. The message is what it said last."""


@dataclass(slots=True)
class Stage:
    """One stage of a command: seconds by the clock, seconds of processors, and peak memory in bytes."""

    name: str
    seconds: float = 0.0
    processor: float = 0.0
    peak: int = 0


def watch(command: Sequence[str], ended: Callable[[Stage], None] = lambda stage: None) -> list[Stage]:
    """The stages of `command` in order; `ended` hears of each when it ends. Raises CommandFailed."""
    stages = [Stage(FIRST)]
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        sampler = threading.Thread(target=_sample, args=(process, stages), daemon=True)
        sampler.start()
        began = time.monotonic()
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line.rstrip())
            if found := STAGE.fullmatch(line.rstrip()):
                now = time.monotonic()
                stages[-1].seconds, began = now - began, now
                ended(stages[-1])
                stages.append(Stage(found["name"]))
        code = process.wait()
        stages[-1].seconds = time.monotonic() - began
        sampler.join()
    if code:
        raise CommandFailed("\n".join(said[-LAST_WORDS:]) or f"exit code {code}")
    ended(stages[-1])
    return stages


def _sample(process: subprocess.Popen[str], stages: list[Stage]) -> None:
    spent = 0.0
    while process.poll() is None:
        stage = stages[-1]
        found = _with_descendants(process.pid)
        # What an ended process has used passes to its parent when that notices: a sum may fall for a moment.
        now = max(spent, sum(found.values()))
        stage.processor += now - spent
        spent = now
        stage.peak = max(stage.peak, sum(map(_proportional_bytes, found)))
        time.sleep(SAMPLED_EVERY)


def _with_descendants(root: int) -> dict[int, float]:
    """The process and all below it that are there now, each with its processor seconds and its ended children's."""
    children: dict[int, list[int]] = {}
    seconds: dict[int, float] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _fields(folder)):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
            seconds[int(folder.name)] = sum(map(int, fields[11:15])) / TICKS
    found = [root]
    for pid in found:  # grows as it goes
        found += children.get(pid, [])
    return {pid: seconds[pid] for pid in found if pid in seconds}


def _fields(folder: Path) -> list[str]:
    """What proc(5) `stat` says after the name in brackets, which may hold spaces: state, parent and so on."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return []


def _proportional_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return 0
    return KIBIBYTE * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
