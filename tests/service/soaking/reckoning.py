"""What clients were given, against what the log holds in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import orjson

from service.log.export import export_lines
from service.log.store import LogStore, StoredEntry
from service.log.verifier import verify
from tests.service.soaking.ledger import Acknowledged, Ledger

_HEAD = b'{"answer":'
_BEHIND = b',"asked":{'


@dataclass
class Outcome:
    """The totals. `lost` counts screenings that a client has and the log has not, at their index with those bytes."""

    ledger: Ledger
    stored: int
    stored_unacknowledged: int
    lost: int
    twice: int
    """Requests that the log holds more than once."""
    faults: Counter[str]
    ends: Counter[str]
    """How the service ended by itself."""
    slowest_recovery: float
    problems: list[str]

    @property
    def ok(self) -> bool:
        """Whether nothing was lost, nothing was recorded twice, and nothing was wrong."""
        return not (self.lost or self.twice or self.problems)

    def table(self) -> str:
        """One line a figure."""
        said = self.ledger
        rows: list[tuple[str, object]] = [
            ("requests", said.requests),
            ("answered with a screening", said.answered),
            *((f"refused: {code}", count) for code, count in sorted(said.refused.items())),
            *((f"broken: {kind}", count) for kind, count in sorted(said.broken.items())),
            *((f"fault: {kind}", count) for kind, count in sorted(self.faults.items())),
            *((f"ended by itself, {how}", count) for how, count in sorted(self.ends.items())),
            ("acknowledged", len(said.acknowledged)),
            ("stored", self.stored),
            ("stored, not acknowledged", self.stored_unacknowledged),
            ("acknowledged, lost", self.lost),
            ("stored twice", self.twice),
            ("longest wait for an answer, seconds", f"{said.waits.longest:.1f}"),
            ("longest wait to be turned away, seconds", f"{said.waits.longest_turned_away:.1f}"),
            ("longest time without any screening", f"{said.longest_stall:.1f}"),
            ("slowest recovery of all clients", f"{self.slowest_recovery:.1f}"),
            ("all in order", "yes" if self.ok else "NO"),
        ]
        lines = [f"{name:<60}{value:>10}" for name, value in rows]
        return "\n".join([*lines, *(f"wrong: {problem}" for problem in self.problems[:20])])


def reckon(
    ledger: Ledger, log: LogStore, faults: Counter[str], ends: Counter[str], slowest: float, found: list[str]
) -> Outcome:
    """Compares entry by entry, and verifies the log against the record of every answer. `found` is wrong already."""
    stored: Counter[str] = Counter()
    whole: set[str] = set()
    problems = [*found, *ledger.wrong]
    for entry in log.entries(0, log.size()):
        if entry.kind == "screening":
            case_ref = _case_ref(entry)
            stored[case_ref] += 1
            if case_ref not in ledger.asked:
                problems.append(f"index {entry.index}: a screening that nobody asked for")
            elif _holds(entry, ledger.acknowledged, case_ref):
                whole.add(case_ref)
    records = [one.record for one in ledger.acknowledged.values()]
    problems += [str(problem) for problem in verify(export_lines(log), log.verifier_key, (), records).problems]
    return Outcome(
        ledger=ledger,
        stored=stored.total(),
        stored_unacknowledged=len(stored.keys() - ledger.acknowledged.keys()),
        lost=len(ledger.acknowledged.keys() - whole),
        twice=sum(count > 1 for count in stored.values()),
        faults=faults,
        ends=ends,
        slowest_recovery=slowest,
        problems=problems,
    )


def _case_ref(entry: StoredEntry) -> str:
    payload = orjson.loads(entry.payload or b"")
    return str(payload["asked"]["case_ref"])


def _holds(entry: StoredEntry, acknowledged: Mapping[str, Acknowledged], case_ref: str) -> bool:
    """Whether this entry is the one of which the client has the record, and holds the very bytes of the answer."""
    given = acknowledged.get(case_ref)
    payload = entry.payload or b""
    if given is None or not payload.startswith(_HEAD) or not payload[len(_HEAD) + given.length :].startswith(_BEHIND):
        return False
    held = sha256(payload[len(_HEAD) :][: given.length]).digest()
    return (entry.index, entry.entry_id, entry.leaf_hash, held) == (
        given.record.index,
        given.screening_id,
        given.record.leaf_hash,
        given.digest,
    )
