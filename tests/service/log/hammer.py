"""A process that appends until it is told to stop, whatever happens to it; started by torture.py.

Arguments: folder of the key, path or URL of the log, threads. Says at once on standard output what it does, in lines:
`? <entry id>` before it asks, then `+ <entry id> <index>` where that was acknowledged or `- <entry id>` where it was
refused. SIGUSR1 sets its clock back by an hour, SIGTERM ends it.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from service.log.checkpoint import load_signing_key
from service.log.entry import uuid7
from service.log.store import LogStore, NotDurable

ORIGIN = "torture.invalid/log"
_HOUR = 3_600_000_000_000
_MEAN_PAUSE_SECONDS = 0.005


def payload_of(entry_id: str) -> bytes:
    """The payload of that entry: from its id alone, so that who holds the id knows what must be stored."""
    digest = hashlib.sha256(entry_id.encode()).hexdigest()
    return f'{{"entry":"{entry_id}","text":"{digest * (int(digest[:2], 16) // 8)}"}}'.encode()


def main(keys: Path, where: str, threads: int) -> None:
    """Opens the log like any worker and appends."""
    set_back, stopping = [0], threading.Event()

    def set_clock_back(*_: object) -> None:
        set_back[0] += _HOUR

    signal.signal(signal.SIGUSR1, set_clock_back)
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    key = load_signing_key(keys / "log.pem", ORIGIN)
    place = where if where.startswith("postgresql") else Path(where)
    store = LogStore.open(place, key, lambda: time.time_ns() - set_back[0])

    def run() -> None:
        while not stopping.is_set():
            entry_id = uuid7()
            os.write(1, f"? {entry_id}\n".encode())
            try:
                said = f"+ {entry_id} {store.append('screening', payload_of(entry_id), entry_id).index}"
            except NotDurable:
                said = f"- {entry_id}"
            os.write(1, f"{said}\n".encode())
            time.sleep(random.uniform(0, 2 * _MEAN_PAUSE_SECONDS))

    running = [threading.Thread(target=run) for _ in range(threads)]
    for each in running:
        each.start()
    for each in running:
        each.join()
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
