"""Waits until the service answers, then prints what it was given: the newcomer's address, keys and `curl` line."""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request

PATIENCE = 60.0  # seconds
PAUSE = 0.05


def wait_until_ready(address: str, patience: float = PATIENCE) -> bool:
    """True once the address answers 200; False when `patience` seconds pass or the starting process is gone."""
    starter, deadline = os.getppid(), time.monotonic() + patience
    while time.monotonic() < deadline and os.getppid() == starter:
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(PAUSE)
    return False


if __name__ == "__main__":
    lines = sys.stdin.read()
    if wait_until_ready(sys.argv[1]):
        print(lines, flush=True)
    else:
        print(f"error: {sys.argv[1]} did not answer; see the lines above", file=sys.stderr)
