"""What do score, explanation, prompt and a durable record cost a request? Grounds against a route that does nothing.

Both run at the same time on the same server with the same workers, threads and pinning; `wrk` asks them in turns, so
that whatever else the machine does falls on both. Each pair of turns gives one ratio; the median of ratios is shown.
`wrk` sends a connection's next request when the last is answered, so percentiles are of a closed loop.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from rich.console import Console

from benchmarks.figures import print_aim, print_note, ratio_table
from benchmarks.noop import UNPINNED
from benchmarks.prepared import NotPrepared, Prepared
from benchmarks.served import GROUNDS, NOOP, Load, Served, load, serving
from service.running.assembly import open_log
from service.settings import read_settings
from tests.postgresql import running

CONNECTIONS = (1, 16, 64)
REPEATS = 5
SECONDS = 2
WARM_UP_SECONDS = 2
FLOOR, UNPINNED_FLOOR = "no-op", "no-op, not pinned"
"""The route that does nothing on the very same workers; and on workers as granian comes, whose threads fight for the
interpreter over both cores: that is the floor that the prototypes of the design were measured against."""
AIMS = {"Grounds, SQLite": 0.50, "Grounds, PostgreSQL": 0.40}
"""Grounds answers at least this share of the requests that the route that does nothing answers."""
DISK_SECONDS = 0.5


def run(ready: Prepared, console: Console) -> None:
    """Measures at each number of connections and prints the table; then verifies the log that this made."""
    for folder in ("noop", "noop-not-pinned"):
        (ready.var / folder).mkdir(exist_ok=True)
    answered = 0
    with ExitStack() as open_until_done:
        served = {FLOOR: open_until_done.enter_context(serving(NOOP, ready, folder="noop"))}
        as_it_comes = serving(NOOP, ready, folder="noop-not-pinned", **{UNPINNED: "yes"})
        served[UNPINNED_FLOOR] = open_until_done.enter_context(as_it_comes)
        served["Grounds, SQLite"] = open_until_done.enter_context(serving(GROUNDS, ready))
        postgresql = open_until_done.enter_context(running())
        postgresql.execute("CREATE DATABASE grounds")
        url = postgresql.url("grounds")
        others = {"GROUNDS_LOG_DATABASE": url, "GROUNDS_VAR": str(_of_its_own(ready, "postgresql"))}
        server = serving(GROUNDS, ready, folder="postgresql", GROUNDS_LOG_DATABASE=url)
        served["Grounds, PostgreSQL"] = open_until_done.enter_context(server)
        before = _recorded(ready)
        for name, server in served.items():
            warmed = load(server, ready, max(CONNECTIONS), WARM_UP_SECONDS)
            answered += warmed.requests if name == "Grounds, SQLite" else 0
        measured = {connections: _rounds(served, ready, connections) for connections in CONNECTIONS}
        answered += sum(done["Grounds, SQLite"].answers for rounds in measured.values() for done in rounds)
        verified = [_verify(ready), _verify(ready, **others)]
    title = "A screening with its durable record, against a Flask route that reads the body and does nothing"
    columns = (
        *("", "connections", "requests/s", "of no-op", "range", "of no-op, not pinned"),
        *("p50 ms", "p99 ms", "worker CPU µs", "errors"),
    )
    rows = [_row(name, connections, rounds) for connections, rounds in measured.items() for name in served]
    console.print(ratio_table(title, columns, rows))
    for name, aim in AIMS.items():
        for connections, rounds in measured.items():
            share = median(_shares(name, rounds))
            text = f"{name}, {connections} connections: at least {aim:.0%} of the no-op's requests a second"
            print_aim(console, text, f"{share:.0%}", share >= aim)
    print_note(console, f"disk: {_syncs_a_second(ready.var):.0f} writes of 4 kB made durable (fdatasync) a second")
    recorded = _recorded(ready) - before
    print_aim(console, "every answer recorded", f"{recorded} entries, {answered} answers", recorded >= answered)
    for line in verified:
        print_note(console, line)


def _of_its_own(ready: Prepared, folder: str) -> Path:
    """A folder with the same model and keys, for another log: a log's key signs one alone."""
    own = ready.var / folder
    shutil.copytree(ready.var / "models", own / "models")
    shutil.copytree(ready.var / "keys", own / "keys", ignore=shutil.ignore_patterns("log*"))
    return own


Round = Mapping[str, Load]
"""What each server did in one turn."""


def _rounds(served: Mapping[str, Served], ready: Prepared, connections: int) -> list[Round]:
    rounds = []
    for repeat in range(REPEATS):
        # Who goes first changes, so that a machine that grows busier favours nobody.
        order = list(served)[:: 1 - repeat % 2 * 2]
        rounds.append({name: load(served[name], ready, connections, SECONDS) for name in order})
    return rounds


def _shares(name: str, rounds: list[Round], floor: str = FLOOR) -> list[float]:
    return [done[name].rate / done[floor].rate for done in rounds]


def _row(name: str, connections: int, rounds: list[Round]) -> list[str]:
    shares, loads = _shares(name, rounds), [done[name] for done in rounds]
    rate, p50, p99, cpu = (median(getattr(run, field) for run in loads) for field in ("rate", "p50", "p99", "cpu"))
    return [
        name,
        str(connections),
        f"{rate:,.0f}",
        f"{median(shares):.0%}",
        f"{min(shares):.0%} to {max(shares):.0%}",
        f"{median(_shares(name, rounds, UNPINNED_FLOOR)):.0%}",
        f"{p50:.2f}",
        f"{p99:.1f}",
        f"{cpu:.0f}",
        str(sum(run.errors for run in loads)),
    ]


def _recorded(ready: Prepared) -> int:
    os.environ["GROUNDS_VAR"] = str(ready.var)
    log = open_log(read_settings())
    try:
        return log.size()
    finally:
        log.close()


def _verify(ready: Prepared, **settings: str) -> str:
    command = [sys.executable, "-m", "service", "log", "verify"]
    done = subprocess.run(command, env=ready.environment(**settings), capture_output=True, text=True)
    if done.returncode:
        raise NotPrepared(f"the log that the benchmark made does not verify: {done.stdout}{done.stderr}")
    return f"log verify: {done.stdout.strip().splitlines()[-1]}"


def _syncs_a_second(folder: Path) -> float:
    path = folder / "fdatasync"
    count, began = 0, time.perf_counter()
    with path.open("wb", buffering=0) as file:
        while time.perf_counter() - began < DISK_SECONDS:
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            count += 1
    path.unlink()
    return count / DISK_SECONDS
