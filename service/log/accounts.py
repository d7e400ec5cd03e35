"""What the log says of people and models: which model was live when, who looked at what, how often they disagreed.

Each function reads the log from its first entry to its newest, in bounded memory, and raises `LogDamaged` at an entry
whose bytes do not belong together. With `quick` it reads and checks the entries that it is about and no others, by the
database's index, for a page that must not read a million screenings; `verify` finds what that leaves unseen. An erased
payload says nothing: it is counted or shown as erased.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from service.log.disclosure import THRESHOLD, hidden, is_small
from service.log.entry import Kind
from service.log.reader import LogReader
from service.log.stored import LogDamaged, StoredEntry, fault_of_row, read_row

DISAGREED = "decided_otherwise"
NO_STOP = "no stop recorded"
LOOKS: tuple[Kind, ...] = ("lookup", "export")
BREAKDOWNS = ("agency", "level", "model")

Account = dict[str, Any]


def models(log: LogReader, quick: bool = False) -> list[Account]:
    """Each model that was made active, in order: from when until when (null: still), and which gates were overridden.

    `starts` counts the starts of the service with it, `starts_after_no_stop` those that followed a crash.
    """
    live: list[Account] = []
    overridden: list[Account] = []
    kinds: tuple[Kind, ...] = ("model_activated", "gates_overridden", "service_started")
    for entry in _among(log, kinds) if quick else _of_kinds(log, kinds):
        said = _said(entry)
        if entry.kind == "gates_overridden":
            overridden = said.get("overrides", [])
        elif entry.kind == "service_started" and live:
            live[-1]["starts"] += 1
            live[-1]["starts_after_no_stop"] += said.get("previous") == NO_STOP
        elif entry.kind == "model_activated":
            if live:
                live[-1]["until"] = entry.at
            live.append(_activation(entry, said, overridden))
            overridden = []
    return live


def _activation(entry: StoredEntry, said: Account, overridden: list[Account]) -> Account:
    model = said.get("model", {})
    return {
        "version": model.get("version"),
        "sha256": model.get("sha256"),
        "synthetic": model.get("synthetic"),
        "release_key": said.get("release_key"),
        "from": entry.at,
        "until": None,
        "entry": entry.index,
        "gates_overridden": overridden if "gates_overridden" in said else [],
        "starts": 0,
        "starts_after_no_stop": 0,
    }


def looks(log: LogReader) -> Iterator[Account]:
    """Each look at the log and each export, in order: when, by which key of which role and agency, at what."""
    agencies: dict[str, str | None] = {}
    for entry in _of_kinds(log, (*LOOKS, "key_created")):
        if entry.kind == "key_created":
            agencies.update(_agency_of_key(entry))
        else:
            yield _look(entry, agencies)


def newest_looks(log: LogReader, before: int, limit: int) -> list[Account]:
    """As `looks`: the newest that stand at an index below `before`, the newest first."""
    agencies: dict[str, str | None] = {}
    for entry in log.of_kind("key_created"):
        agencies.update(_agency_of_key(entry))
    return [_look(entry, agencies) for entry in log.newest_of_kinds(LOOKS, before, limit)]


def _agency_of_key(entry: StoredEntry) -> dict[str, str | None]:
    said = _said(entry)
    return {said.get("key_id", ""): said.get("agency")}


def _look(entry: StoredEntry, agencies: Mapping[str, str | None]) -> Account:
    said = _said(entry)
    caller = said.pop("caller", {})
    return {
        "at": entry.at,
        "entry": entry.index,
        "kind": entry.kind,
        "key_id": caller.get("key_id"),
        "role": caller.get("role"),
        "agency": agencies.get(caller.get("key_id", "")),
        "looked_at": said,
        "erased": entry.payload is None,
    }


@dataclass(slots=True)
class _Tally:
    """Counts of the responses that count: the newest to each screening."""

    screenings: int = 0
    erased: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    disagreed: Counter[str] = field(default_factory=Counter)
    groups: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in BREAKDOWNS})
    disagreeing: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in BREAKDOWNS})
    reasons: Counter[str] = field(default_factory=Counter)

    def count(self, said: Account, step: int) -> None:
        """Counts a response (`step` 1), or takes back one that was corrected (-1)."""
        disagrees = step * (said["action"] == DISAGREED)
        self.answered["all"] += step
        self.disagreed["all"] += disagrees
        for name in BREAKDOWNS:
            self.groups[name][said[name]] += step
            self.disagreeing[name][said[name]] += disagrees
        for reason in said["reasons"] if disagrees else ():
            self.reasons[reason] += step


def responses(log: LogReader, quick: bool = False) -> Account:
    """How often practitioners decided otherwise than the prompt: in all, per agency, prompt level, model and reason.

    Only the newest response to a screening counts. Counts under `THRESHOLD` are null, and with them as many others as
    it takes to keep them from being worked out. `reasons` counts the responses that disagreed and gave that reason.
    """
    tally = _Tally()
    if quick:
        tally.screenings = log.screenings()
    for entry in _among(log, ("response",)) if quick else _of_kinds(log, ("response", "screening"), read={"response"}):
        if entry.kind == "screening":
            tally.screenings += 1
        elif entry.payload is None:
            tally.erased += 1
        else:
            said = _said(entry)
            tally.count(said, 1)
            corrected = None if said["corrects"] is None else log.get(said["corrects"])
            if corrected is not None and corrected.payload is not None:
                tally.count(_said(corrected), -1)
    return {
        "threshold": THRESHOLD,
        "screenings": tally.screenings,
        "erased": tally.erased,
        "all": _breakdown(tally.answered, tally.disagreed).get("all", {"responses": 0, "disagreed": 0}),
        **{name: _breakdown(tally.groups[name], tally.disagreeing[name]) for name in BREAKDOWNS},
        "reasons": _shown_reasons(+tally.reasons),
    }


def _breakdown(answered: Counter[str], disagreed: Counter[str]) -> dict[str, Account]:
    counts = {name: count for name, count in sorted(answered.items()) if count}
    few = hidden({name: (count,) for name, count in counts.items()})
    unsure = hidden({name: (disagreed[name], count - disagreed[name]) for name, count in counts.items()}, few)
    return {
        name: {
            "responses": None if name in few else count,
            "disagreed": None if name in unsure else disagreed[name],
        }
        for name, count in counts.items()
    }


def _shown_reasons(reasons: Counter[str]) -> dict[str, int | None]:
    few = hidden({name: (count,) for name, count in reasons.items()})
    return {name: None if name in few else count for name, count in sorted(reasons.items())}


def share(counts: Account) -> str:
    """Disagreement in words, for a person."""
    responded, disagreed = counts["responses"], counts["disagreed"]
    if responded is None:
        return f"fewer than {THRESHOLD} responses, or hidden to protect such a count"
    if disagreed is None:
        return f"{responded} responses; how many disagreed is not shown"
    percent = f" ({100 * disagreed / responded:.1f} %)" if responded and not is_small(disagreed) else ""
    return f"{responded} responses, {disagreed} disagreed{percent}"


def _among(log: LogReader, kinds: tuple[Kind, ...]) -> Iterator[StoredEntry]:
    """The entries of these kinds, in the log's order, and no others: damage elsewhere is not noticed."""
    return heapq.merge(*(log.of_kind(kind) for kind in kinds), key=lambda entry: entry.index)


def _of_kinds(log: LogReader, kinds: tuple[str, ...], read: set[str] | None = None) -> Iterator[StoredEntry]:
    """The entries of these kinds; only those in `read` with their payload, since reading it is what takes time."""
    for row in log.rows(0, log.size()):
        if (fault := fault_of_row(row)) is not None:
            raise LogDamaged(row.idx, fault)
        if row.kind in kinds:
            yield read_row(row, log.unpacked(row) if read is None or row.kind in read else None)


def _said(entry: StoredEntry) -> Account:
    said: Account = {} if entry.payload is None else orjson.loads(entry.payload)
    return said
