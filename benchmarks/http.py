"""What do score, explanation, prompt and a durable record cost a request? Grounds against a route that does nothing.

Both run at the same time on the same server with the same workers, threads and pinning; `wrk` asks them in turns, so
that whatever else the machine does falls on both. Each pair of turns gives one ratio; the median of ratios is shown.
`wrk` sends a connection's next request when the last is answered, so percentiles are of a closed loop.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from rich.console import Console

from benchmarks.figures import print_aim, print_note, ratio_table
from benchmarks.prepared import NotPrepared, Prepared
from benchmarks.served import GROUNDS, NOOP, Load, Served, load, serving
from service.assembly import open_log
from service.settings import read_settings

CONNECTIONS = (1, 16, 64)
REPEATS = 5
SECONDS = 2
WARM_UP_SECONDS = 2
AIM = 0.40
"""Grounds answers at least this share of the requests that the route that does nothing answers."""
DISK_SECONDS = 0.5


def run(ready: Prepared, console: Console) -> None:
    """Measures at each number of connections and prints the table; then verifies the log that this made."""
    (ready.var / "noop").mkdir(exist_ok=True)
    answered = 0
    with serving(NOOP, ready, folder="noop") as noop, serving(GROUNDS, ready) as grounds:
        before = _recorded(ready)
        for served in (noop, grounds):
            answered = load(served, ready, max(CONNECTIONS), WARM_UP_SECONDS).requests
        measured = {connections: _pairs(noop, grounds, ready, connections) for connections in CONNECTIONS}
    answered += sum(ours.requests - ours.errors for pairs in measured.values() for _, ours in pairs)
    rows = [row for connections, pairs in measured.items() for row in _rows(connections, pairs)]
    title = "A screening with its durable SQLite record, against a Flask route that reads the body and does nothing"
    columns = ("", "connections", "requests/s", "of no-op", "range", "p50 ms", "p99 ms", "worker CPU µs", "errors")
    console.print(ratio_table(title, columns, rows))
    for connections, pairs in measured.items():
        share = median(_shares(pairs))
        aim = f"at {connections} connections at least {AIM:.0%} of the no-op's requests a second"
        print_aim(console, aim, f"{share:.0%}", share >= AIM)
    print_note(console, f"disk: {_syncs_a_second(ready.var):.0f} writes of 4 kB made durable (fdatasync) a second")
    recorded = _recorded(ready) - before
    print_aim(console, "every answer recorded", f"{recorded} entries, {answered} answers", recorded >= answered)
    print_note(console, _verify(ready))


def _pairs(noop: Served, grounds: Served, ready: Prepared, connections: int) -> list[tuple[Load, Load]]:
    pairs = []
    for repeat in range(REPEATS):
        # Who goes first changes, so that a machine that grows busier favours neither.
        turns = {
            server.port: load(server, ready, connections, SECONDS) for server in (noop, grounds)[:: 1 - repeat % 2 * 2]
        }
        pairs.append((turns[noop.port], turns[grounds.port]))
    return pairs


def _shares(pairs: list[tuple[Load, Load]]) -> list[float]:
    return [ours.rate / floor.rate for floor, ours in pairs]


def _rows(connections: int, pairs: list[tuple[Load, Load]]) -> list[list[str]]:
    shares = _shares(pairs)
    floors, ours = zip(*pairs, strict=True)
    share, spread = f"{median(shares):.0%}", f"{min(shares):.0%} to {max(shares):.0%}"
    return [_row("no-op", connections, floors, "100%", ""), _row("Grounds", connections, ours, share, spread)]


def _row(name: str, connections: int, loads: tuple[Load, ...], share: str, spread: str) -> list[str]:
    rate, p50, p99, cpu = (median(getattr(run, field) for run in loads) for field in ("rate", "p50", "p99", "cpu"))
    errors = sum(run.errors for run in loads)
    return [
        name,
        str(connections),
        f"{rate:,.0f}",
        share,
        spread,
        f"{p50:.2f}",
        f"{p99:.1f}",
        f"{cpu:.0f}",
        str(errors),
    ]


def _recorded(ready: Prepared) -> int:
    os.environ["GROUNDS_VAR"] = str(ready.var)
    log = open_log(read_settings())
    try:
        return log.size()
    finally:
        log.close()


def _verify(ready: Prepared) -> str:
    command = [sys.executable, "-m", "service", "log", "verify"]
    done = subprocess.run(command, env=ready.environment(), capture_output=True, text=True)
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
