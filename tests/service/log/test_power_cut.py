"""No acknowledged entry is lost when the power fails: real writes and syncs, cut at random and put together anew."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from service.log.checkpoint import SigningKey, create_signing_key
from service.log.export import export_lines
from service.log.schema import LogError
from service.log.store import LogStore, NotDurable
from service.log.verifier import verify
from tests.service.log.conftest import ORIGIN
from tests.service.log.power_cut import acknowledged, disk_after
from tests.service.log.system_calls import Call, read_trace, trace

APPENDER = Path(__file__).with_name("appender.py")
CUTS = 32
# Copies pages into the database file and starts the write-ahead log over every few commits, not once in 16 MB.
BUSY = "wal_autocheckpoint=12"


class Recording:
    """What two processes, one after the other, did to a log, and what the log held at their end."""

    def __init__(self, folder: Path, threads: int, pragmas: str) -> None:
        folder = folder.resolve()  # strace shows paths without links
        (folder / "log").mkdir(parents=True)
        self.key: SigningKey = create_signing_key(folder / "log" / "log.pem", ORIGIN)
        self.calls: list[Call] = []
        self.ends = [0]
        for name in ("first", "second"):
            command = [sys.executable, str(APPENDER), str(folder / "log"), name, str(threads), str(32 // threads)]
            trace(command, folder / "log", folder / name, {**os.environ, "TEST_LOG_PRAGMAS": pragmas})
            self.calls += read_trace(folder / name, folder / "log", self.ends[-1])
            self.ends.append(max(call.ended for call in self.calls) + 1)
        with log_in(folder / "log", self.key) as store:
            self.payloads = {entry.entry_id: entry.payload for entry in store.entries(0, store.size())}

    def after_cut(self, number: int, folder: Path) -> str | None:
        """Cuts at random, once, and says what is wrong with the log afterwards."""
        chance = random.Random(f"cut {number}")
        shortly_after = [call.began + 1 for call in self.calls if call.kind == "said"]
        cut = chance.choice(shortly_after) if number % 2 else chance.randint(1, self.ends[-1])
        folder.mkdir()
        disk_after(self.calls, cut, chance, folder)
        said = acknowledged(self.calls, cut)
        try:
            with log_in(folder, self.key) as store:
                return self._wrong(store, said)
        except (LogError, NotDurable, SQLAlchemyError) as error:
            return f"the log cannot be opened, read or written: {error}"

    def _wrong(self, store: LogStore, said: dict[str, int]) -> str | None:
        stored = list(store.entries(0, store.size()))
        lost = said.items() - {entry.entry_id: entry.index for entry in stored}.items()
        if lost:
            return f"{len(lost)} of {len(said)} acknowledged entries are lost"
        if any(self.payloads[entry.entry_id] != entry.payload for entry in stored):
            return "a payload is another"
        if store.append("screening", b"{}").index != len(stored):
            return "the log does not go on"
        report = verify(export_lines(store), self.key.verifier)
        return None if report.ok else f"{report.problems}"


@contextmanager
def log_in(folder: Path, key: SigningKey) -> Iterator[LogStore]:
    store = LogStore.open(folder / "log.sqlite", key)
    try:
        yield store
    finally:
        store.close()


def _recording(tmp_path: Path, threads: int, pragmas: str) -> Recording:
    strace = shutil.which("strace")
    assert strace, "strace is not installed; make test installs it"
    tried = subprocess.run([strace, "/bin/true"], capture_output=True, text=True, timeout=20, check=False)
    if tried.returncode:
        pytest.skip(f"this machine does not permit ptrace: {tried.stderr.strip().splitlines()[-1]}")
    return Recording(tmp_path / "recorded", threads, pragmas)


@pytest.mark.parametrize(("threads", "pragmas"), [(1, BUSY), (4, BUSY), (4, "")])
def test_a_power_cut_loses_nothing_that_was_acknowledged(tmp_path: Path, threads: int, pragmas: str) -> None:
    recording = _recording(tmp_path, threads, pragmas)
    assert len(recording.payloads) == 64 == len(acknowledged(recording.calls, recording.ends[-1]))
    copied = sum((call.kind, call.name) == ("sync", "log.sqlite") for call in recording.calls)
    assert copied >= (8 if pragmas else 3), "no cut falls into the copying of pages from the write-ahead log"
    wrong = {number: recording.after_cut(number, tmp_path / f"cut-{number}") for number in range(CUTS)}
    assert {number: what for number, what in wrong.items() if what} == {}


@pytest.mark.parametrize("synchronous", ["OFF", "NORMAL"])
def test_with_fewer_syncs_the_same_cuts_do_find_lost_entries(tmp_path: Path, synchronous: str) -> None:
    recording = _recording(tmp_path, 4, f"{BUSY} synchronous={synchronous}")
    assert len(acknowledged(recording.calls, recording.ends[-1])) == 64
    wrong = [recording.after_cut(number, tmp_path / f"cut-{number}") for number in range(CUTS)]
    assert sum("are lost" in what for what in wrong if what) > CUTS // 8
