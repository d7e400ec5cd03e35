"""Faults at random for a bounded time, and the count of what was acknowledged against what is stored.

    python tests/service/log/torture.py --seconds 90
    python tests/service/log/torture.py --seconds 90 --postgresql

The second starts a PostgreSQL of its own; a URL behind the option names an empty database of yours, whose server is
then neither restarted nor filled.
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from service.log.checkpoint import create_signing_key
from service.log.store import LogStore
from tests.service.log.databases.conftest import Server
from tests.service.log.hammer import ORIGIN
from tests.service.log.server_faults import bring_back, kill_process
from tests.service.log.small_disk import SmallDisk
from tests.service.log.tally import Hammer, Outcome, Tally, outcome

_PROCESSES, _THREADS = 3, 4
_PATIENCE_SECONDS = 60
_CALM_SECONDS = 0.5


class Torture:
    """Processes that append to the log at `where`, and the faults that can be done to them here."""

    def __init__(
        self, where: str, keys: Path, chance: random.Random, server: Server | None, disk: SmallDisk | None
    ) -> None:
        self._where = where
        self._keys = keys
        self._key = create_signing_key(keys / "log.pem", ORIGIN)
        self._chance = chance
        self._server = server
        self._disk = disk
        self._tally = Tally()
        self._faults: Counter[str] = Counter()
        self._notes: list[str] = []
        self._slowest = 0.0
        self._hammers: list[Hammer] = []
        self.kinds: dict[str, Callable[[], None]] = {
            "kill -9 of one process": self._kill_one,
            "kill -9 of all processes": self._kill_all,
            "clock set back an hour": self._set_clock_back,
        }
        if server:
            self.kinds["server restarted, fast"] = lambda: self._restart(server, "fast")
            self.kinds["server restarted, immediate"] = lambda: self._restart(server, "immediate")
            self.kinds["server process killed"] = lambda: self._kill_server_process(server)
        if disk or not where.startswith("postgresql"):
            self.kinds["disk full"] = self._fill_disk

    def run(self, seconds: float) -> Outcome:
        """Each kind of fault once, in random order, then any until the time is over; the totals."""
        end = time.monotonic() + seconds
        due = self._chance.sample(sorted(self.kinds), len(self.kinds))
        # Nobody has opened the log yet: they also race for its making.
        self._hammers = [self._hammer() for _ in range(_PROCESSES)]
        try:
            self._wait_until(lambda: all(hammer.acknowledged for hammer in self._hammers), "a start")
            while due or time.monotonic() < end:
                kind = due.pop() if due else self._chance.choice(sorted(self.kinds))
                time.sleep(self._chance.uniform(0, _CALM_SECONDS))
                self.kinds[kind]()
                self._faults[kind] += 1
                self._recover(kind)
            return self._finish()
        finally:
            for hammer in self._hammers:
                hammer.kill()

    def _hammer(self) -> Hammer:
        return Hammer(self._keys, self._where, _THREADS, self._tally)

    def _open(self) -> LogStore:
        return LogStore.open(self._where if self._where.startswith("postgresql") else Path(self._where), self._key)

    def _recover(self, kind: str) -> None:
        """Waits until every process was acknowledged something anew, by itself, and keeps a checkpoint."""
        began = time.monotonic()
        before = {hammer: hammer.acknowledged for hammer in self._hammers}
        self._wait_until(lambda: all(hammer.acknowledged > count for hammer, count in before.items()), kind)
        self._slowest = max(self._slowest, time.monotonic() - began)
        store = self._open()
        self._notes.append(store.latest_checkpoint())
        store.close()

    def _wait_until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not done():
            if time.monotonic() > deadline or any(hammer.process.poll() is not None for hammer in self._hammers):
                errors = self._hammers[0].errors.read_text()[-2000:]
                raise RuntimeError(f"no recovery from: {what}\n{errors}")
            time.sleep(0.005)

    def _wait_for_refusals(self, what: str) -> None:
        before = sum(hammer.refused for hammer in self._hammers)
        self._wait_until(lambda: sum(hammer.refused for hammer in self._hammers) > before + 3, what)

    def _kill_one(self) -> None:
        number = self._chance.randrange(_PROCESSES)
        self._hammers[number].kill()
        self._hammers[number] = self._hammer()

    def _kill_all(self) -> None:
        for hammer in self._hammers:
            hammer.process.kill()
        for hammer in self._hammers:
            hammer.ended()
        self._hammers = [self._hammer() for _ in range(_PROCESSES)]
        if self._chance.random() < 0.5:  # and once more while they start
            time.sleep(self._chance.uniform(0, 1))
            self._kill_one()

    def _set_clock_back(self) -> None:
        self._chance.choice(self._hammers).process.send_signal(signal.SIGUSR1)

    def _restart(self, server: Server, mode: str) -> None:
        server.stop(mode)
        self._wait_for_refusals("a stopped server")
        server.start()

    def _kill_server_process(self, server: Server) -> None:
        kill_process(server, self._chance)
        self._wait_for_refusals("a killed server process")

    def _fill_disk(self) -> None:
        if self._disk:
            self._disk.fill()
        else:
            self._limit(4096)
        try:
            self._wait_for_refusals("a full disk")
        finally:
            if self._disk:
                self._disk.free()
            else:
                self._limit(resource.RLIM_INFINITY)
        if self._server:
            bring_back(self._server)

    def _limit(self, size: int) -> None:
        for hammer in self._hammers:
            resource.prlimit(hammer.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def _finish(self) -> Outcome:
        for hammer in self._hammers:
            hammer.process.terminate()
        for hammer in self._hammers:
            if hammer.ended():
                raise RuntimeError(f"a process failed\n{hammer.errors.read_text()[-2000:]}")
        self._hammers = []
        store = self._open()
        totals = outcome(self._tally, store, self._notes, self._faults, self._slowest)
        store.close()
        return totals


@contextmanager
def prepared(postgresql: str | None, seed: int) -> Iterator[Torture]:
    """A log on a disk that can be full, where that can be; `postgresql` is a URL, "" for a server of its own."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="grounds-torture-"))
        stack.callback(shutil.rmtree, folder)
        folder.chmod(0o755)  # PostgreSQL runs as another user
        for name in ("disk", "keys"):
            (folder / name).mkdir()
        disk = server = None
        try:
            disk = SmallDisk(folder / "disk") if not postgresql else None
        except OSError as error:
            sys.stderr.write(f"no small disk here ({error}): a full disk is simulated for SQLite, left out else\n")
        if disk:
            stack.callback(disk.remove)
        if postgresql == "":
            server = Server(folder / "disk")
            stack.callback(server.stop, "immediate")
            server.execute("ALTER SYSTEM SET max_wal_size = '128MB'")  # the disk is in memory
            server.execute("CREATE DATABASE log")
            postgresql = server.url("log")
        where = postgresql or str(folder / "disk" / "log.sqlite")
        yield Torture(where, folder / "keys", random.Random(seed), server, disk)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--postgresql", nargs="?", const="", metavar="URL")
    options = parser.parse_args()
    try:
        with prepared(options.postgresql, options.seed) as torture:
            totals = torture.run(options.seconds)
    except RuntimeError as error:
        sys.exit(f"error: {error}")
    database = "SQLite" if options.postgresql is None else "PostgreSQL"
    sys.stdout.write(f"{database}, {options.seconds:.0f} seconds, seed {options.seed}\n{totals.table()}\n")
    sys.exit(bool(totals.lost or totals.problems))


if __name__ == "__main__":
    main()
