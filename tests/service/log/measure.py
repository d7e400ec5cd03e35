"""Measures the log; not a test. `python tests/service/log/measure.py [seconds]` from the root of the repository.

Appends by two processes of 32 threads each, on the disk of the folder that TMPDIR names.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from service.log.canonical import canonical_bytes
from service.log.checkpoint import create_signing_key, load_signing_key
from service.log.export import export_lines
from service.log.store import LogStore
from service.log.verifier import verify

PROCESSES, THREADS, ORIGIN = 2, 32, "measure.invalid/log"


def sample(features: int) -> bytes:
    """A payload shaped like a screening's; 3 features make about 1.2 kB, 40 about 12 kB."""
    chance = random.Random(features)
    contributions = [
        {
            "contribution": chance.gauss(0, 1),
            "feature": f"feature_number_{number}",
            "label": f"Parent or carer: a concern of kind {number}",
            "text": f"Concern {number} goes with a higher score than in the reference population",
            "value": "yes",
        }
        for number in range(features)
    ]
    gaps = [
        {
            "feature": f"feature_number_{number}",
            "held_by": ["police", "health_visiting"],
            "score_if_highest": chance.random(),
            "score_if_lowest": chance.random(),
        }
        for number in range(features * 2 // 3)
    ]
    asked = {f"feature_number_{number}": chance.choice(["yes", "no", "not_known"]) for number in range(features)}
    words = "This is not a finding that the child is safe. Professional judgement and local procedures come first."
    return canonical_bytes({"asked": asked, "contributions": contributions, "not_known": gaps, "words": words})


def worker(folder: Path, features: int, seconds: float) -> int:
    """Appends from 32 threads for that long; returns how many."""
    store = LogStore.open(folder / "log.sqlite", load_signing_key(folder / "log.pem", ORIGIN))
    payload = sample(features)
    counts = [0] * THREADS
    end = time.monotonic() + seconds

    def run(thread: int) -> None:
        while time.monotonic() < end:
            store.append("screening", payload)
            counts[thread] += 1

    threads = [threading.Thread(target=run, args=(thread,)) for thread in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    return sum(counts)


def main(seconds: float) -> None:
    """Prints a line a size of payload."""
    for features in (3, 40):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            key = create_signing_key(folder / "log.pem", ORIGIN)
            LogStore.open(folder / "log.sqlite", key).close()
            command = [sys.executable, __file__, "worker", name, str(features), str(seconds)]
            workers = [
                subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE, text=True)
                for number in range(PROCESSES)
            ]
            total = sum(int(each.communicate()[0]) for each in workers)
            store = LogStore.open(folder / "log.sqlite", key)
            start = time.monotonic()
            report = verify(export_lines(store), key.verifier)
            whole = time.monotonic() - start
            lines = list(export_lines(store))
            start = time.monotonic()
            verify(lines, key.verifier)
            alone = time.monotonic() - start
            store.close()
            stored = sum(file.stat().st_size for file in folder.iterdir()) / total
            print(f"payload {len(sample(features))} B: {total / seconds:.0f} appends/s, {stored:.0f} B each on disk")
            print(
                f"  verified ({report.ok}): {total / alone:.0f} entries/s from lines, {total / whole:.0f} with export"
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        if os.environ.get("PIN"):
            os.sched_setaffinity(0, {os.getpid() % 2})
            sys.setswitchinterval(0.02)
        print(worker(Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
