"""A process that is killed between the erasure entry and the removal; started by test_erasure.py.

Arguments: folder, then the ids of the screenings to erase.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from service.log import erasure
from service.log.checkpoint import load_signing_key
from service.log.erasure import Erased, Order, Target, erase
from service.log.store import LogStore


def main(folder: Path, ids: list[str]) -> None:
    """Erases, and dies where the payloads would be removed."""
    store = LogStore.open(folder / "log.sqlite", load_signing_key(folder / "log.pem", "test.invalid/log"))
    erasure._remove = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    rows = [store.row(entry_id) for entry_id in ids]
    erase(store, [Target(row.idx, row.entry_id, row.kind) for row in rows], Order("court_order", "operator"), Erased())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
