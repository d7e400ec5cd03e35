"""A process that appends while its files may not grow, and then again when they may; started by test_processes.py.

Prints JSON: how many were acknowledged before the disk was full, the failure, the faults, and the index after it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from service.log.checkpoint import load_signing_key
from service.log.store import LogStore, NotDurable


def main(folder: Path) -> None:
    """Fills the log up to half a megabyte beyond its size, fails twenty times, and goes on without the limit."""
    store = LogStore.open(folder / "log.sqlite", load_signing_key(folder / "log.pem", "test.invalid/log"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (512 * 1024, resource.RLIM_INFINITY))
    stored, failures, message = 0, 0, ""
    while failures < 20:
        try:
            store.append("screening", b'{"secret":"' + os.urandom(4000).hex().encode() + b'"}')
        except NotDurable as error:
            failures, message = failures + 1, str(error)
        else:
            stored += 1
    fault = store.fault()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    healed = store.fault()
    index = store.append("screening", b"{}").index
    print(json.dumps({"stored": stored, "message": message, "fault": fault, "healed": healed, "index": index}))
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
