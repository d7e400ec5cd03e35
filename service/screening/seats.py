"""How many requests a worker serves at once, and how many may wait: whoever comes on top is told so at once.

Without it a worker that cannot keep up would queue without end, and every sender would wait longer than it has time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from queue import Empty, SimpleQueue

from service.errors import Problem, problem

PATIENCE_SECONDS = 1.0
"""The longest that a request waits for its turn."""
RETRY_AFTER = "1"
NEVER_TURNED_AWAY = frozenset({"/healthz", "/readyz", "/metrics"})
"""Addresses that tell an operator how the service is: they are asked most when it is full."""


class Seats:
    """The turns of one worker."""

    def __init__(
        self, seats: int, waiting: int, queued: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        """At most `seats` requests are served and `waiting` more wait, each within `queued()`."""
        self.queued = queued
        self._turns: SimpleQueue[None] = SimpleQueue()  # in C, where a semaphore is a page of Python
        for _ in range(seats):
            self._turns.put(None)
        self._mutex = threading.Lock()
        self._may_wait = waiting
        self.seats, self.waiting = seats, waiting
        self.turned_away = 0

    def take(self) -> Problem | None:
        """Takes a turn, to be given back; or the problem of one that is turned away."""
        if self._taken():
            return None
        with self._mutex:
            may_wait = self._may_wait > 0
            self._may_wait -= may_wait
        if may_wait:
            with self.queued():
                taken = self._taken(PATIENCE_SECONDS)
            with self._mutex:
                self._may_wait += 1
            if taken:
                return None
        with self._mutex:
            self.turned_away += 1
        return problem("overloaded", Retry_After=RETRY_AFTER)

    def give_back(self) -> None:
        """Ends a turn."""
        self._turns.put(None)

    def _taken(self, seconds: float = 0.0) -> bool:
        try:
            self._turns.get(seconds > 0, seconds)
        except Empty:
            return False
        return True
