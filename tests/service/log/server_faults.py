"""Faults of a PostgreSQL server that only its operating system can do to it, and the way back."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress

import psycopg

from tests.postgresql import Server

_PATIENCE_SECONDS = 60


def kill_process(server: Server, chance: random.Random) -> None:
    """Ends one of the processes that serve the database `log`; the server ends all others too, a moment later."""
    for _ in range(_PATIENCE_SECONDS * 10):
        with psycopg.connect(server.url("postgres")) as connection:
            found = connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = 'log'").fetchall()
        if found:
            with suppress(ProcessLookupError):  # it has ended since: another, then
                os.kill(chance.choice(found)[0], signal.SIGKILL)
                return
        time.sleep(0.1)
    raise RuntimeError("the server serves nobody")


def bring_back(server: Server) -> None:
    """Starts it again where it ended itself, unable to write its own write-ahead log."""
    for _ in range(_PATIENCE_SECONDS * 10):
        try:
            server.execute("SELECT 1")
        except psycopg.OperationalError:
            if not (server.folder / "data" / "postmaster.pid").exists():
                server.start()
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server does not come back")
