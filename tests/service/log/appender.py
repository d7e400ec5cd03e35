"""A process that appends to the log until it is stopped or has done its share; started by test_processes.py.

Arguments: folder, name, threads, appends a thread and, where the log is no SQLite file, the database's URL.
Prints a line `<entry id> <index>` for each acknowledged append, written at once, so that what a killed process had
acknowledged is known. TEST_LOG_PRAGMAS in the environment: SQLite's settings that a test wants otherwise.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from service.log.checkpoint import load_signing_key
from service.log.databases import sqlite
from service.log.store import LogStore


def main(folder: Path, name: str, threads: int, appends: int, url: str = "") -> None:
    """Opens the log like any worker and appends."""
    sqlite._PRAGMAS += tuple(os.environ.get("TEST_LOG_PRAGMAS", "").split())
    store = LogStore.open(url or folder / "log.sqlite", load_signing_key(folder / "log.pem", "test.invalid/log"))

    def run(thread: int) -> None:
        for number in range(appends):
            payload = f'{{"number":{number},"text":"{"x" * 1000}","who":"{name} {thread}"}}'
            receipt = store.append("screening", payload.encode())
            os.write(1, f"{receipt.entry_id} {receipt.index}\n".encode())

    running = [threading.Thread(target=run, args=(thread,)) for thread in range(threads)]
    for each in running:
        each.start()
    for each in running:
        each.join()
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:])
