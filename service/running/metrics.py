"""What an operator watches, for Prometheus: counts and times of all workers together, and nothing of any case.

Each worker counts into files of its own in one folder (prometheus-client's multiprocess mode), so whichever worker is
asked answers for all. What every request adds is put aside and written there in lots, four times a second: written at
each request it took a thirtieth of a screening. Labels are routes, codes, levels and feature names: never a value, a
key or an address.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import Counter as Counts
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from service.log.schema import LogError
from service.running.telemetry import logger

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

    from service.drift.window import DriftWindow
    from service.log.store import LogStore
    from service.model_files import ReleasedModel
    from service.running.readiness import Readiness

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
ROOM = 512 * 1024
"""Bytes of each of a worker's files of counts: more than all routes with all their statuses take."""
BETWEEN_WRITES = 0.25
"""Seconds. What a killed worker counted in so long is not counted."""
MOST_ASIDE = 10_000
"""Answers put aside, beyond which they are written down at once."""
ENTRIES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


def prepare_folder(folder: Path) -> None:
    """Makes the folder empty and tells the workers of it, before any is started."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ[FOLDER] = str(folder)


def reserve_room(folder: Path) -> None:
    """Takes the room of this worker's files on the disk before anything is counted. Raises `OSError` without room.

    prometheus-client counts in mapped files that are full of holes. To count something new on a disk that is full would
    need room for a hole, and the kernel ends a process that it cannot give any (SIGBUS): where a service should answer
    503, every worker would die.
    """
    for kind in ("counter", "histogram", "gauge_livesum"):
        with (folder / f"{kind}_{os.getpid()}.db").open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, ROOM)


def forget_the_dead(folder: Path) -> None:
    """Takes away what workers that are no more left of gauges: a killed one would be seen to queue for ever."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if not Path("/proc", pid).exists():
            file.unlink(missing_ok=True)


Aside = TypeVar("Aside")


class Metrics:
    """The counters of this worker, and the page of all workers' together."""

    def __init__(self) -> None:
        # Here and not above: the library decides at its import how it counts.
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        if FOLDER in os.environ:
            forget_the_dead(Path(os.environ[FOLDER]))
            reserve_room(Path(os.environ[FOLDER]))
        own = CollectorRegistry()
        self._requests = Counter(
            "grounds_requests", "Requests answered, by route and status.", ["method", "route", "status"], registry=own
        )
        self._seconds = Histogram(
            "grounds_request_seconds", "Time to answer, by route.", ["route"], buckets=SECONDS, registry=own
        )
        self._problems = Counter("grounds_problems", "Refusals and faults, by code.", ["code"], registry=own)
        self._levels = Counter("grounds_screenings", "Screenings recorded, by prompt level.", ["level"], registry=own)
        self._commit_seconds = Histogram(
            "grounds_log_commit_seconds", "Time of a durable commit of the log.", buckets=SECONDS, registry=own
        )
        self._commit_entries = Histogram(
            "grounds_log_commit_entries", "Entries that one commit made durable.", buckets=ENTRIES, registry=own
        )
        self._waiting = Gauge(
            "grounds_queue_waiting", "Requests that wait for their turn.", registry=own, multiprocess_mode="livesum"
        )
        self._waited = Histogram(
            "grounds_queue_seconds", "Time waited, of requests that had to wait.", buckets=SECONDS, registry=own
        )
        self._own = own
        self._answers: deque[tuple[str, str, int, float]] = deque()
        self._screened: deque[str] = deque()
        if FOLDER in os.environ:  # else nobody else is asked, and a page writes them down first
            threading.Thread(target=self._write_down_for_ever, daemon=True).start()

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts an answer. `route` is the rule and never the address."""
        self._answers.append((method, route, status, seconds))
        if len(self._answers) >= MOST_ASIDE:
            self.write_down()

    def refused(self, code: str) -> None:
        """Counts a problem that was answered."""
        self._problems.labels(code).inc()

    def screened(self, level: str) -> None:
        """Counts a screening that was recorded."""
        self._screened.append(level)

    def write_down(self) -> None:
        """Counts what was put aside. Whatever is put aside meanwhile may wait for the next time."""
        answers: Counts[tuple[str, str, int]] = Counts()
        times = defaultdict[str, list[float]](list)
        for method, route, status, seconds in _taken(self._answers):
            answers[method, route, status] += 1
            times[route].append(seconds)
        for (method, route, status), count in answers.items():
            self._requests.labels(method, route, str(status)).inc(count)
        for route, taken in times.items():
            observe = self._seconds.labels(route).observe
            for seconds in taken:
                observe(seconds)
        for level, count in Counts(_taken(self._screened)).items():
            self._levels.labels(level).inc(count)

    def _write_down_for_ever(self) -> None:
        while True:
            time.sleep(BETWEEN_WRITES)
            try:
                self.write_down()
            except Exception as error:  # the next time may be better; without this nobody would know
                logger().error("metrics_not_written", error=type(error).__name__)

    def committed(self, entries: int, seconds: float) -> None:
        """Counts a commit of the log."""
        self._commit_entries.observe(entries)
        self._commit_seconds.observe(seconds)

    @contextmanager
    def queued(self) -> Iterator[None]:
        """Counts a request that waits for its turn, for as long as it does."""
        began = time.perf_counter()
        self._waiting.inc()
        try:
            yield
        finally:
            self._waiting.dec()
            self._waited.observe(time.perf_counter() - began)

    def page(self, state: State) -> bytes:
        """Everything in Prometheus' text format, with what is looked at when asked."""
        from prometheus_client import CollectorRegistry, generate_latest, multiprocess

        self.write_down()
        together = CollectorRegistry()
        if os.environ.get(FOLDER):
            multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
            together.register(state)
            return bytes(generate_latest(together))
        together.register(state)
        return bytes(generate_latest(self._own)) + bytes(generate_latest(together))


def _taken(aside: deque[Aside]) -> Iterator[Aside]:
    """What lies there now, each taken away."""
    for _ in range(len(aside)):
        try:
            yield aside.popleft()
        except IndexError:  # another thread writes down as well
            return


class State:
    """What is not counted but looked at: the log, readiness, the model, drift (made anew at most once a minute)."""

    def __init__(self, log: LogStore, readiness: Readiness, released: ReleasedModel, drift: DriftWindow) -> None:
        self._log = log
        self._readiness = readiness
        self._released = released
        self._drift = drift

    def collect(self) -> Iterator[Metric]:
        """The gauges of this moment."""
        from prometheus_client.metrics_core import GaugeMetricFamily

        model = GaugeMetricFamily("grounds_model_info", "The model in use.", labels=["version", "synthetic"])
        model.add_metric([self._released.model.version, str(self._released.model.synthetic).lower()], 1)
        yield model
        checks = self._readiness.checks()
        ready = GaugeMetricFamily("grounds_ready", "1 where this is in order, 0 where not.", labels=["what"])
        for name, said in checks.items():
            ready.add_metric([name], float(said == "ok"))
        yield ready
        if checks["log"] != "ok":
            return  # what follows is read from it
        try:
            size, report = self._log.size(), self._drift.report()
        except (SQLAlchemyError, LogError) as error:  # it went away in between: the rest of the page stands
            logger().error("log_cannot_be_read", error=type(error).__name__)
            return
        yield GaugeMetricFamily("grounds_log_entries", "Entries in the log.", size)
        shift = GaugeMetricFamily(
            "grounds_drift_psi", "Population stability index against training.", labels=["feature"]
        )
        unknown = GaugeMetricFamily(
            "grounds_drift_not_known", "Share without a known answer in the newest screenings.", labels=["feature"]
        )
        for feature in report.features:
            if feature.index is not None:
                shift.add_metric([feature.feature], feature.index)
            unknown.add_metric([feature.feature], feature.not_answered_now)
        yield shift
        yield unknown
        agencies = GaugeMetricFamily(
            "grounds_drift_agency_psi", "Mean index over an agency's own questions.", labels=["agency"]
        )
        agencies_unknown = GaugeMetricFamily(
            "grounds_drift_agency_not_known",
            "Share of an agency's own questions without a known answer.",
            labels=["agency"],
        )
        questions = GaugeMetricFamily(
            "grounds_drift_agency_feature_psi", "Index of an agency's own question.", labels=["agency", "feature"]
        )
        for agency in report.agencies:
            if agency.index is not None:
                agencies.add_metric([agency.agency], agency.index)
            if agency.not_answered_now is not None:
                agencies_unknown.add_metric([agency.agency], agency.not_answered_now)
            for question in agency.features:
                if question.index is not None:
                    questions.add_metric([agency.agency, question.feature], question.index)
        yield agencies
        yield agencies_unknown
        yield questions
        yield GaugeMetricFamily(
            "grounds_drift_damaged", "Screenings in the window that do not fit their leaves.", report.damaged
        )
        yield GaugeMetricFamily("grounds_drift_cases", "Screenings that the drift rests on.", report.cases)
