"""What processes that append were acknowledged, and what of it is stored in the end."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from service.log.export import export_lines
from service.log.store import LogStore
from service.log.verifier import verify
from tests.service.log.hammer import payload_of

HAMMER = Path(__file__).with_name("hammer.py")


@dataclass
class Tally:
    """What was said by all processes so far."""

    asked: set[str] = field(default_factory=set)
    acknowledged: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)


class Hammer:
    """One process that appends. What it says is read at once, so that a kill takes none of it away."""

    def __init__(self, keys: Path, where: str, threads: int, tally: Tally) -> None:
        command = [sys.executable, str(HAMMER), str(keys), where, str(threads)]
        self.acknowledged = self.refused = 0
        self.errors = keys / "errors"
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        self._reader = threading.Thread(target=self._read, args=(tally,))
        self._reader.start()

    def _read(self, tally: Tally) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            if not line.endswith("\n"):
                break  # cut short by a kill: never said
            sign, entry_id, *index = line.split()
            if sign == "?":
                tally.asked.add(entry_id)
            elif sign == "+":
                tally.acknowledged[entry_id] = int(index[0])
                self.acknowledged += 1
            else:
                tally.refused.add(entry_id)
                self.refused += 1

    def kill(self) -> None:
        """Ends it without warning."""
        self.process.kill()
        self.ended()

    def ended(self) -> int:
        """Waits for its end and for all that it said; gives the exit code."""
        code = self.process.wait(timeout=60)
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()
        return code


@dataclass
class Outcome:
    """The totals. `lost` counts acknowledged entries that are not stored at their index with their payload."""

    requests: int
    acknowledged: int
    refused: int
    unanswered: int
    stored: int
    stored_unacknowledged: int
    stored_though_refused: int
    lost: int
    faults: Counter[str]
    slowest_recovery: float
    problems: list[str]

    def table(self) -> str:
        """One line a figure."""
        rows: list[tuple[str, object]] = [
            ("requests", self.requests),
            ("acknowledged", self.acknowledged),
            ("refused (not durable)", self.refused),
            ("unanswered (process killed)", self.unanswered),
            ("stored", self.stored),
            ("stored, not acknowledged", self.stored_unacknowledged),
            ("  of these refused", self.stored_though_refused),
            ("acknowledged, lost", self.lost),
            *((f"fault: {kind}", count) for kind, count in sorted(self.faults.items())),
            ("slowest recovery, seconds", f"{self.slowest_recovery:.1f}"),
            ("log verifies", "yes" if not self.problems else f"NO: {self.problems[0]}"),
        ]
        return "\n".join(f"{name:<34}{value:>10}" for name, value in rows)


def outcome(tally: Tally, store: LogStore, notes: list[str], faults: Counter[str], slowest: float) -> Outcome:
    """Compares what was acknowledged with what is stored, entry by entry, and verifies the log against `notes`."""
    stored: set[str] = set()
    whole: set[tuple[str, int]] = set()
    for entry in store.entries(0, store.size()):
        stored.add(entry.entry_id)
        if entry.payload == payload_of(entry.entry_id):
            whole.add((entry.entry_id, entry.index))
    key = store.verifier_key
    report = verify(export_lines(store), key, [key.open(note) for note in notes])
    extra = stored - tally.acknowledged.keys()
    return Outcome(
        requests=len(tally.asked),
        acknowledged=len(tally.acknowledged),
        refused=len(tally.refused),
        unanswered=len(tally.asked - tally.acknowledged.keys() - tally.refused),
        stored=len(stored),
        stored_unacknowledged=len(extra),
        stored_though_refused=len(extra & tally.refused),
        lost=len(tally.acknowledged.items() - whole),
        faults=faults,
        slowest_recovery=slowest,
        problems=[str(problem) for problem in report.problems],
    )
