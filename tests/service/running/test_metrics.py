"""The metrics of a real server: all workers' together, true to what happened, and without a trace of any case."""

import re
import urllib.request

import pytest

from service.access.keys import create_key
from service.running.metrics import ROOM
from tests.service.serving import Refused, serving


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
        text = scraped(served, operator)
        assert figure(text, 'grounds_requests_total{method="POST",route="/v1/screenings",status="201"}') == 20
        levels = re.findall(r'^grounds_screenings_total\{level="(\w+)"\} (\S+)$', text, re.MULTILINE)
        assert sum(float(count) for _, count in levels) == 20
        assert figure(text, 'grounds_request_seconds_count{route="/v1/screenings"}') == 20
        assert figure(text, "grounds_log_commit_entries_sum") >= 20
        assert figure(text, "grounds_log_entries") >= 20
        for what in ("log", "model", "key", "checkpoints"):
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
        files = list((settings.run / "metrics").iterdir())
        assert len(files) == 4  # counters and histograms of two workers
        for file in files:
            assert file.stat().st_size == ROOM
            assert file.stat().st_blocks * 512 >= ROOM
