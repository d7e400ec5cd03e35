"""The metrics of a real server: all workers' together, true to what happened, and without a trace of any case."""

import os
import re
import subprocess
import urllib.request

import pytest
from prometheus_client import generate_latest
from sqlalchemy.exc import OperationalError

from service.access.keys import create_key
from service.drift.window import DriftWindow
from service.running.metrics import MOST_ASIDE, ROOM, Metrics, State, forget_the_dead
from service.running.readiness import Readiness
from tests.service.serving import Refused, serving, wait_until


def scraped(served, key):
    request = urllib.request.Request(f"{served.address}/metrics", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


def figure(text, name):
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return None if found is None else float(found[1])


@pytest.fixture
def operator(settings):
    return create_key(settings.keys, "operator")[0]


def test_all_workers_are_counted_together(settings, operator):
    with serving(settings, GROUNDS_SCREENING_RATE="25/hour") as served:
        for number in range(20):
            served.screen(number)
        answered = 'grounds_requests_total{method="POST",route="/v1/screenings",status="201"}'
        wait_until(lambda: figure(scraped(served, operator), answered) == 20)  # a worker writes its counts in lots
        text = scraped(served, operator)
        levels = re.findall(r'^grounds_screenings_total\{level="(\w+)"\} (\S+)$', text, re.MULTILINE)
        assert sum(float(count) for _, count in levels) == 20
        assert figure(text, 'grounds_request_seconds_count{route="/v1/screenings"}') == 20
        assert figure(text, "grounds_log_commit_entries_sum") >= 20
        assert figure(text, "grounds_log_entries") >= 20
        for what in ("log", "model", "key", "api_keys", "checkpoints"):
            assert figure(text, f'grounds_ready{{what="{what}"}}') == 1
        assert 'grounds_model_info{synthetic="true",version="test-1"} 1.0' in text
        assert figure(text, "grounds_drift_cases") == 20
        with pytest.raises(Refused, match="429"):
            for number in range(60):
                served.screen(number)
        assert figure(scraped(served, operator), 'grounds_problems_total{code="rate_limited"}') >= 1


def test_only_an_operator_reads_them(settings):
    with serving(settings) as served, pytest.raises(OSError, match="403") as refused:
        scraped(served, served.key)
    refused.value.close()


def test_the_files_of_counts_have_no_holes_for_which_a_full_disk_would_have_no_room(settings, operator):
    with serving(settings) as served:
        served.screen()
        scraped(served, operator)
        counts = settings.run / "metrics"
        wait_until(lambda: len(list(counts.iterdir())) == 6)  # counters, histograms and gauges of two workers
        for file in counts.iterdir():
            assert file.stat().st_size == ROOM
            assert file.stat().st_blocks * 512 >= ROOM


def test_a_request_is_counted_as_waiting_for_as_long_as_it_does():
    metrics = Metrics()
    with metrics.queued():
        assert figure(generate_latest(metrics._own).decode(), "grounds_queue_waiting") == 1
    page = generate_latest(metrics._own).decode()
    assert figure(page, "grounds_queue_waiting") == 0
    assert figure(page, "grounds_queue_seconds_count") == 1


def test_what_was_put_aside_is_counted_once_and_before_a_page_is_shown():
    metrics = Metrics()
    for status in (201, 201, 422):
        metrics.answered("POST", "/v1/screenings", status, 0.003)
    metrics.screened("seek_information")
    metrics.screened("seek_information")
    for _ in range(2):
        metrics.write_down()
    page = generate_latest(metrics._own).decode()
    for status, count in ((201, 2), (422, 1)):
        labels = f'{{method="POST",route="/v1/screenings",status="{status}"}}'
        assert f"grounds_requests_total{labels} {count}.0" in page
    assert 'grounds_request_seconds_bucket{le="0.0025",route="/v1/screenings"} 0.0' in page
    assert 'grounds_request_seconds_bucket{le="0.005",route="/v1/screenings"} 3.0' in page
    assert 'grounds_screenings_total{level="seek_information"} 2.0' in page


def test_no_more_is_put_aside_than_fits():
    metrics = Metrics()
    for _ in range(MOST_ASIDE + 5):
        metrics.answered("GET", "none", 404, 0.001)
    assert f'status="404"}} {MOST_ASIDE}.0' in generate_latest(metrics._own).decode()


def test_what_a_killed_worker_left_of_gauges_is_forgotten(tmp_path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    files = {pid: tmp_path / f"gauge_livesum_{pid}.db" for pid in (ended.pid, os.getpid())}
    counter = tmp_path / f"counter_{ended.pid}.db"
    for file in (*files.values(), counter):
        file.touch()
    forget_the_dead(tmp_path)
    assert not files[ended.pid].exists()
    assert files[os.getpid()].exists()
    assert counter.exists()  # what it answered was answered


def test_many_cases_of_one_request_are_a_commit_too(service, monkeypatch):
    commits = []
    monkeypatch.setattr(service.log, "on_commit", lambda entries, seconds: commits.append((entries, seconds)))
    case = {"agency": "gp", "features": {}}
    body = {"cases": [{**case, "case_ref": f"case-{number}"} for number in range(7)]}
    assert service.client.post("/v1/screenings/batch", json=body, headers=service.practitioner).status_code == 201
    ((entries, seconds),) = commits
    assert entries == 7
    assert 0 < seconds < 60


def test_a_log_that_goes_away_while_it_is_looked_at_takes_nothing_else_from_the_page(service, monkeypatch):
    drift = DriftWindow(service.log, service.released)
    state = State(service.log, Readiness(service.log, service.released, None), service.released, drift)

    def gone():
        raise OperationalError("SELECT", {}, OSError("gone"))

    monkeypatch.setattr(drift, "report", gone)
    assert [metric.name for metric in state.collect()] == ["grounds_model_info", "grounds_ready"]
