"""A rate is kept by the clock, and a clock that is set back locks nobody out."""

import time

import pytest

from service.access.rate import KeyRate
from service.errors import Problem


@pytest.fixture
def clock(monkeypatch):
    """The number of seconds by which the clock is off."""
    right, off = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: right() + off[0])
    return off


def test_more_than_the_rate_waits_until_the_first_is_long_enough_ago(clock):
    rate = KeyRate("3/minute")
    for _ in range(3):
        rate.admit("key")
    with pytest.raises(Problem) as refused:
        rate.admit("key")
    assert 55 <= int(refused.value.headers["Retry-After"]) <= 60
    rate.admit("another")
    clock[0] = 61.0
    rate.admit("key", 3)
    with pytest.raises(Problem):
        rate.admit("key")


def test_a_clock_set_back_locks_nobody_out(clock):
    rate = KeyRate("3/minute")
    rate.admit("key", 3)
    clock[0] = -3600.0
    rate.admit("key", 3)
    with pytest.raises(Problem) as refused:
        rate.admit("key")
    assert int(refused.value.headers["Retry-After"]) <= 60


def test_a_moment_that_another_thread_saw_first_is_no_clock_set_back(clock):
    rate = KeyRate("3/minute")
    rate.admit("key", 3)
    clock[0] = -0.01
    with pytest.raises(Problem):
        rate.admit("key")
