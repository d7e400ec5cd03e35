"""Looks at a log that holds three screenings, as an auditor takes them."""

from __future__ import annotations

import pytest


@pytest.fixture
def look(service):
    def look(address, **parameters):
        return service.client.get(f"/v1/log/{address}", query_string=parameters, headers=service.auditor)

    return look


@pytest.fixture
def screened(service):
    """Three screenings; gives their answers."""
    cases = ({"parent_mental_health_history": "yes"}, {"child_stage": "newborn"}, {})
    return [service.screen(case).get_json() for case in cases]
