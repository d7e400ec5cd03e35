"""What a process and all that it starts take: CPU time, and memory by proportion (what they share counts once)."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

_LOOK_SECONDS = 0.05


def highest_memory(process: subprocess.Popen[bytes]) -> tuple[float, float]:
    """Waits for the process; the most MB that it and its descendants took together, and their CPU seconds."""
    before = os.times()
    most = 0.0
    while process.poll() is None:
        most = max(most, sum(_proportional(pid) for pid in _with_descendants(process.pid)))
        time.sleep(_LOOK_SECONDS)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return most / 1024, cpu


def _with_descendants(pid: int) -> list[int]:
    found = [pid]
    for listed in _read(f"/proc/{pid}/task/{pid}/children").split():
        found += _with_descendants(int(listed))
    return found


def _proportional(pid: int) -> int:
    """Kilobytes."""
    for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""  # it has just ended
