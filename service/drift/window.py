"""The newest screenings of the log, counted against the live model; made anew at most once a minute.

Only screenings that are entries of this log are counted. A file of cases is one entry with a root over its rows, and
holds no answers to count; what sandbox keys screen is in a log of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from model.dictionary import NOT_KNOWN
from model.drift import FeatureDrift, Watch
from service.drift.agency import AgencyDrift, agency_drift
from service.log.disclosure import THRESHOLD
from service.log.store import LogDamaged, LogStore
from service.model_files import ReleasedModel
from service.running.telemetry import logger
from service.screening.reading import agencies_of

MOST_ENTRIES = 5000
"""Entries looked at, from the newest back: bounded work, however long the log is."""
SECONDS_BETWEEN = 60.0


@dataclass(frozen=True, slots=True)
class DriftReport:
    """The drift over a window. `erased` screenings could not be read; those of other models are counted all the same.

    `damaged` ones do not fit their leaves: verify the log.

    `features` is empty while there are fewer than `THRESHOLD` screenings.
    """

    model: str
    cases: int
    erased: int
    damaged: int
    first_at: str | None
    last_at: str | None
    features: tuple[FeatureDrift, ...]
    agencies: tuple[AgencyDrift, ...]


class DriftWindow:
    """The report of one log and live model, kept for a minute. Safe to share between threads."""

    def __init__(self, log: LogStore, live: ReleasedModel) -> None:
        self._log = log
        self._model = live.model
        self._lock = threading.Lock()
        self._made: tuple[float, DriftReport] | None = None

    def report(self) -> DriftReport:
        """The newest report. Raises an error of the database where the log cannot be read."""
        with self._lock:
            if self._made is None or time.monotonic() - self._made[0] >= SECONDS_BETWEEN:
                self._made = time.monotonic(), self._make()
            return self._made[1]

    def _make(self) -> DriftReport:
        everything = Watch(self._model)
        by_agency: dict[str, Watch] = {}
        erased, damaged, times = 0, 0, []
        size = self._log.size()
        for row in self._log.rows(max(0, size - MOST_ENTRIES), size):
            if row.kind != "screening":
                continue
            try:
                payload = self._log.unpacked(row)
            except LogDamaged as error:
                logger().error("log_damaged", index=error.index)
                damaged += 1
                continue
            if payload is None:
                erased += 1
                continue
            said = orjson.loads(payload)
            values = _values(said["answer"])
            times.append(str(row.at))
            everything.add(values)
            for agency in agencies_of(said["asked"]):
                by_agency.setdefault(agency, Watch(self._model)).add(values)
        enough = everything.cases >= THRESHOLD
        return DriftReport(
            model=self._model.version,
            cases=everything.cases,
            erased=erased,
            damaged=damaged,
            first_at=min(times, default=None),
            last_at=max(times, default=None),
            features=tuple(everything.drift()) if enough else (),
            agencies=agency_drift(by_agency, self._model.dictionary) if enough else (),
        )


def _values(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The values that were scored: what the answer shows, whichever way they came in."""
    rows = answer["explanation"]["contributions"]
    return {row["feature"]: row["value"] for row in rows if row["value"] != NOT_KNOWN}
