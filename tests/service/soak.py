"""Faults at random under load over HTTP, and the count of what clients were given against what is stored.

    python tests/service/soak.py --seconds 60
    python tests/service/soak.py --seconds 60 --postgresql

The real service with two workers answers clients that screen all the time; the second command starts a PostgreSQL of
its own. Ends with 1 where anything was lost or wrong.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from model.dictionary import shipped_dictionary
from service.running.assembly import open_log
from tests.postgresql import Server
from tests.service.conftest import hand_made_model, release_into, settings_in
from tests.service.log.small_disk import SmallDisk
from tests.service.soaking.clients import Client
from tests.service.soaking.faults import Faults
from tests.service.soaking.ledger import Ledger
from tests.service.soaking.machine import Machine
from tests.service.soaking.reckoning import Outcome, reckon
from tests.service.soaking.supervised import Supervised

_CLIENTS = 20
_THREADS = "4"
"""Of a worker: with two workers and their waiting rooms there is place for 12 requests, so that 20 can be too many."""
_PATIENCE_SECONDS = 60
_CALM_SECONDS = 0.5
_UNWANTED = ("Traceback", "soak-c")
"""What no output may show: the second is how case references begin."""
_LINES = ("[ERROR] ", "error: ")
"""What a line of output begins with that is no event: what the server says, why a start failed."""


class Soak:
    """Clients of one service, and the faults that can be made here."""

    def __init__(
        self,
        service: Supervised,
        machine: Machine,
        disk: SmallDisk | None,
        server: Server | None,
        chance: random.Random,
    ) -> None:
        self._service = service
        self._chance = chance
        self._ledger = Ledger()
        self._faults = Faults(service, machine, disk, server, self._ledger, chance, self._wait_until)
        self._made: Counter[str] = Counter()
        self._slowest = 0.0
        self._clients = [self._client(number) for number in range(_CLIENTS)]
        self.kinds = self._faults.kinds

    def _client(self, number: int) -> Client:
        chance = random.Random(self._chance.getrandbits(64))
        name = f"c{number}"
        return Client(name, self._service.port, self._service.key, self._ledger, chance, repeats=bool(number % 2))

    def run(self, seconds: float) -> Outcome:
        """Each kind of fault once, in random order, then any until the time is over; the totals."""
        end = time.monotonic() + seconds
        due = self._chance.sample(sorted(self.kinds), len(self.kinds))
        self._service.start()
        for client in self._clients:
            client.start()
        try:
            self._recover("a start")
            self._slowest = 0.0
            self._ledger.longest_stall = 0.0
            while due or time.monotonic() < end:
                kind = due.pop() if due else self._chance.choice(sorted(self.kinds))
                time.sleep(self._chance.uniform(0, _CALM_SECONDS))
                self.kinds[kind]()
                self._made[kind] += 1
                self._recover(kind)
        finally:
            for client in self._clients:
                client.stop()
            for client in self._clients:
                client.join()
        return self._finish()

    def _recover(self, kind: str) -> None:
        """Waits until every client was given a screening anew."""
        began = time.monotonic()
        before = {client: client.screened for client in self._clients}
        self._wait_until(lambda: all(client.screened > count for client, count in before.items()), kind)
        self._slowest = max(self._slowest, time.monotonic() - began)

    def _wait_until(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not done():
            self._service.keep_alive()
            if time.monotonic() > deadline or not all(client.is_alive() for client in self._clients):
                raise RuntimeError(f"no recovery from: {what}\n{self._service.output.read_text()[-2000:]}")
            time.sleep(0.005)

    def _finish(self) -> Outcome:
        code = self._service.stop()
        said = self._service.output.read_text()
        found = [f"the service was stopped and ended with {code}: {said[-300:]}"] if code else []
        found += [f"its output shows {said[said.index(what) :][:2000]}" for what in _UNWANTED if what in said]
        found += [f"a line of its output: {line}" for line in said.splitlines() if not _expected(line)]
        log = open_log(self._service.settings)
        try:
            return reckon(self._ledger, log, self._made, Counter(self._service.ends), self._slowest, found)
        finally:
            log.close()


def _expected(line: str) -> bool:
    """Whether it is an event of the service, whole and alone in its line, or what is said in words."""
    try:
        return "event" in orjson.loads(line)
    except ValueError:
        return line.startswith(_LINES)


@contextmanager
def prepared(postgresql: bool, seed: int) -> Iterator[Soak]:
    """A service with a released model, on a disk that can be full, slow, and a clock that can be wrong."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="grounds-faults-"))  # no path may look like a case reference
        stack.callback(shutil.rmtree, folder)
        folder.chmod(0o755)  # PostgreSQL runs as another user
        for name in ("disk", "database"):
            (folder / name).mkdir()
        machine = Machine(folder)
        stack.callback(machine.close)
        disk = server = None
        try:
            disk = SmallDisk(folder / "disk")
        except OSError as error:
            sys.stderr.write(f"no small disk here ({error}): a full disk is simulated for SQLite, left out else\n")
        if disk:
            stack.callback(disk.remove)
        url = ""
        if postgresql:
            server = Server(folder / "disk", machine.environment)
            stack.callback(server.stop, "immediate")
            server.execute("ALTER SYSTEM SET max_wal_size = '128MB'")  # the disk is in memory
            server.execute("CREATE DATABASE log")
            url = server.url("log")
        settings = settings_in(folder / "disk" / "var", database_url=url)
        release_into(settings, hand_made_model(shipped_dictionary()))
        more = {**machine.environment, "GROUNDS_LOG_DATABASE": url, "GROUNDS_THREADS": _THREADS}
        service = Supervised(settings, folder / "output", more)
        stack.callback(service.remove)
        yield Soak(service, machine, disk, server, random.Random(seed))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    try:
        with prepared(options.postgresql, options.seed) as soak:
            totals = soak.run(options.seconds)
    except RuntimeError as error:
        sys.exit(f"error: {error}")
    database = "PostgreSQL" if options.postgresql else "SQLite"
    sys.stdout.write(f"{database}, {options.seconds:.0f} seconds, seed {options.seed}\n{totals.table()}\n")
    sys.exit(not totals.ok)


if __name__ == "__main__":
    main()
