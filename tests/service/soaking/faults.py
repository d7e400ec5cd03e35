"""The faults that are made while clients screen: each is made, seen by clients where it can be seen, and mended."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable
from pathlib import Path

from service.access.keys import KEY_FILE
from service.running.reloading import ReloadError
from service.screening.seats import PATIENCE_SECONDS as TURN_SECONDS
from tests.postgresql import Server
from tests.service.log.server_faults import bring_back, kill_process
from tests.service.log.small_disk import SmallDisk
from tests.service.soaking.ledger import Ledger
from tests.service.soaking.machine import Machine
from tests.service.soaking.supervised import Supervised

_HOUR = 3600
_SLOW_MILLISECONDS = (150, 400)
_SLACK_SECONDS = 2.0
"""What a busy machine may add to a wait."""
_SYNCS = 12
"""The most syncs that a request may wait for once it has its turn: those of the commits before its own, and its own."""
_HOLD_SECONDS = 1.0
_LOOKED_AT = ("/", "/docs", "/learn", "/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/drift", "/model")
_MAY_BE = frozenset({200, 401, 403, 503})
_CRASH_LOOP_SECONDS = 4.0
"""A worker whose replacement dies within less is a crash loop for the server, which then ends itself."""

WaitUntil = Callable[[Callable[[], bool], str], None]


class Faults:
    """What can be done to this service, this machine and this database; `kinds` names it all."""

    def __init__(
        self,
        service: Supervised,
        machine: Machine,
        disk: SmallDisk | None,
        server: Server | None,
        ledger: Ledger,
        chance: random.Random,
        wait_until: WaitUntil,
    ) -> None:
        """`disk` None: a full one is made by limiting how far files may grow, which PostgreSQL would not feel."""
        self._service = service
        self._machine = machine
        self._disk = disk
        self._server = server
        self._ledger = ledger
        self._chance = chance
        self._wait_until = wait_until
        self.kinds: dict[str, Callable[[], None]] = {
            "worker killed -9": self._kill_worker,
            "whole service killed -9": lambda: self._kill_service(whole=True),
            "parent of the workers killed -9": lambda: self._kill_service(whole=False),
            "reload (SIGHUP)": self._reload,
            "reload with a faulty key file": self._reload_in_vain,
            "disk slow": self._slow_disk,
            "clock set back an hour": lambda: self._set_clock(-_HOUR),
            "clock set forward an hour": lambda: self._set_clock(_HOUR),
        }
        if not server:
            self.kinds["log's files moved away"] = self._move_log
        if disk or not server:
            self.kinds["disk full"] = self._fill_disk
            self.kinds["worker killed -9 while the disk is full"] = self._kill_on_full_disk
        if server:
            self.kinds["database restarted, fast"] = lambda: self._restart(server, "fast")
            self.kinds["database restarted, immediate"] = lambda: self._restart(server, "immediate")
            self.kinds["database process killed -9"] = lambda: self._kill_database(server)

    def _kill_worker(self) -> None:
        self._wait_until(lambda: bool(self._service.workers()), "workers")
        self._service.kill_worker(self._chance.choice(self._service.workers()))

    def _kill_service(self, whole: bool) -> None:
        self._service.kill(whole)
        time.sleep(self._chance.uniform(0, 0.3))
        self._service.start()

    def _reload(self) -> None:
        self._wait_until(self._service.settled, "all workers")
        self._service.reload()

    def _reload_in_vain(self) -> None:
        """Must change nothing: workers go on with the keys that they read last."""
        self._wait_until(self._service.settled, "all workers")
        keys, before = self._service.settings.keys / KEY_FILE, self._service.workers()
        whole = keys.read_bytes()
        keys.write_text("no keys")
        try:
            self._service.reload()
            self._wrong("a reload with a faulty key file was made")
        except ReloadError:
            if self._service.workers() != before:
                self._wrong("a reload with a faulty key file ended workers")
        finally:
            keys.write_bytes(whole)

    def _move_log(self) -> None:
        """Nothing may be acknowledged meanwhile; the log goes on by itself once the same files are back."""
        database = self._service.settings.log_database
        files = [Path(f"{database}{ending}") for ending in ("", "-wal", "-shm")]
        self._wait_until(lambda: all(path.exists() for path in files), "a log in use")
        for path in files:
            path.rename(f"{path}.away")
        try:
            self._wait_for_refusals("a log that was moved away")
            self._hold(_HOLD_SECONDS)
        finally:
            for path in files:
                Path(f"{path}.away").replace(path)

    def _slow_disk(self) -> None:
        """Also looks whether those who are too many are told so early, and the others answered in bounded time."""
        milliseconds = self._chance.randint(*_SLOW_MILLISECONDS)
        with self._ledger.phase() as waits:
            self._machine.slow_disk(milliseconds)
            try:
                self._wait_until(lambda: waits.turned_away >= 5 and waits.screened >= 5, "a slow disk")
            finally:
                self._machine.slow_disk(0)
        early = TURN_SECONDS + _SLACK_SECONDS
        if waits.longest_turned_away > early:
            self._wrong(f"a slow disk: turned away after {waits.longest_turned_away:.1f} s, not within {early:.1f} s")
        bound = early + _SYNCS * milliseconds / 1000
        if waits.longest > bound:
            self._wrong(f"a slow disk: answered after {waits.longest:.1f} s, not within {bound:.1f} s")

    def _wrong(self, what: str) -> None:
        self._ledger.wrong.append(what)

    def _set_clock(self, seconds: int) -> None:
        self._machine.set_clock(seconds)
        try:
            self._wait_for_screenings()
        finally:
            self._machine.set_clock(0)

    def _wait_for_screenings(self) -> None:
        with self._ledger.phase() as waits:
            self._wait_until(lambda: waits.screened >= 20, "screenings")
        self._hold(_HOLD_SECONDS)

    def _fill_disk(self) -> None:
        """Looks around meanwhile, as operators do: whatever was never counted before must not need room."""

        def look() -> None:
            for path in self._chance.sample(_LOOKED_AT, 4):
                try:
                    status = self._service.look(path)
                except OSError as error:
                    self._wrong(f"a full disk: {path} is not answered ({error})")
                else:
                    if status not in _MAY_BE:
                        self._wrong(f"a full disk: {path} is answered with {status}")
            self._hold(_HOLD_SECONDS)

        self._with_full_disk(look)

    def _kill_on_full_disk(self) -> None:
        def kill() -> None:
            self._kill_worker()
            self._hold(_CRASH_LOOP_SECONDS)

        self._with_full_disk(kill)

    def _with_full_disk(self, then: Callable[[], None]) -> None:
        # A worker that dies and cannot be replaced ends the service: not unless that is the fault.
        self._wait_until(self._service.settled, "all workers")
        if self._disk:
            self._disk.fill()
        else:
            self._service.limit_files(4096)
        try:
            self._wait_for_refusals("a full disk")
            then()
        finally:
            if self._disk:
                self._disk.free()
            else:
                self._service.limit_files(resource.RLIM_INFINITY)
        if self._server:
            bring_back(self._server)

    def _wait_for_refusals(self, what: str) -> None:
        code = "503 not_recorded"
        before = self._ledger.refused[code]
        self._wait_until(lambda: self._ledger.refused[code] > before, what)

    def _hold(self, longest: float) -> None:
        """Leaves things as they are for a while."""
        ends = time.monotonic() + self._chance.uniform(0, longest)
        self._wait_until(lambda: time.monotonic() > ends, "a pause")

    def _restart(self, server: Server, mode: str) -> None:
        server.stop(mode)
        try:
            self._wait_for_refusals("a stopped database")
            self._hold(_HOLD_SECONDS)
        finally:
            server.start()

    def _kill_database(self, server: Server) -> None:
        kill_process(server, self._chance)
        self._wait_for_refusals("a killed database process")
