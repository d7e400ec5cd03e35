"""The log under several processes, and when they or the disk fail: real files, real processes, real kills."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from service.log.checkpoint import SigningKey
from service.log.export import export_lines
from service.log.store import LogStore
from service.log.verifier import verify

HERE = Path(__file__).parent
Open = Callable[..., LogStore]


def start(folder: Path, name: str, threads: int, appends: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(HERE / "appender.py"), str(folder), name, str(threads), str(appends)]
    with (folder / f"{name}.acknowledged").open("w") as said:
        return subprocess.Popen(command, stdout=said, stderr=subprocess.PIPE, text=True)


def acknowledged(folder: Path, name: str) -> dict[str, int]:
    """Entry id to index; a last line that the kill cut short was not acknowledged."""
    whole = (folder / f"{name}.acknowledged").read_text().rpartition("\n")[0].splitlines()
    return {line.split()[0]: int(line.split()[1]) for line in whole}


def finish(process: subprocess.Popen[str]) -> None:
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 0, error


def test_processes_and_threads_see_one_total_order(tmp_path: Path, key: SigningKey, open_store: Open) -> None:
    # Nobody has opened the log yet: the two also race for its making.
    names = ("one", "two")
    for process in [start(tmp_path, name, 8, 50) for name in names]:
        finish(process)
    store = open_store()
    entries = list(store.entries(0, store.size()))
    said = acknowledged(tmp_path, "one") | acknowledged(tmp_path, "two")
    assert {entry.entry_id: entry.index for entry in entries} == said
    assert [entry.index for entry in entries] == list(range(800))
    numbers: dict[str, list[int]] = {}
    for entry in entries:
        payload = orjson.loads(entry.payload)
        numbers.setdefault(payload["who"], []).append(payload["number"])
    assert len(numbers) == 16
    assert all(order == list(range(50)) for order in numbers.values())
    assert verify(export_lines(store), key.verifier).ok


def test_a_killed_process_loses_nothing_that_it_acknowledged(tmp_path: Path, key: SigningKey, open_store: Open) -> None:
    survivor = start(tmp_path, "survivor", 4, 400)
    killed_names = []
    notes = []
    for number in range(3):
        name = f"killed-{number}"
        killed = start(tmp_path, name, 8, 1_000_000)
        deadline = time.monotonic() + 20
        while len(acknowledged(tmp_path, name)) < 100:
            assert time.monotonic() < deadline, "the process acknowledged nothing"
            time.sleep(0.01)
        time.sleep(0.02 * number)
        killed.kill()
        killed.communicate(timeout=10)
        killed_names.append(name)
        reader = open_store()
        notes.append(reader.latest_checkpoint())
        reader.close()
    finish(survivor)
    store = open_store()
    stored = {entry.entry_id: entry.index for entry in store.entries(0, store.size())}
    for name in (*killed_names, "survivor"):
        said = acknowledged(tmp_path, name)
        assert said
        assert said.items() <= stored.items()
    assert len(acknowledged(tmp_path, "survivor")) == 1600
    assert verify(export_lines(store), key.verifier, [key.verifier.open(note) for note in notes]).problems == []
    assert store.append("screening", b"{}").index == len(stored)


def test_a_full_disk_gives_not_durable_and_the_log_goes_on_after_it(
    tmp_path: Path, key: SigningKey, open_store: Open
) -> None:
    command = [sys.executable, str(HERE / "filler.py"), str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout)
    assert said["stored"] > 20
    assert said["message"].startswith("the log cannot be written (")
    assert "secret" not in said["message"]
    assert said["fault"] is not None
    assert said["healed"] is None
    store = open_store()
    # Nothing that failed is there: what was acknowledged, and the one after the disk had room again.
    assert store.size() == said["stored"] + 1 == said["index"] + 1
    assert verify(export_lines(store), key.verifier).ok
