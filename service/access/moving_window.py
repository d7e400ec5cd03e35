"""How often each sender did something of late: a moving window, counted in this worker's memory."""

from __future__ import annotations

import math
import time

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

_SET_BACK_SECONDS = 1.0
"""A clock that is further back than this was set back; of two threads one may merely have looked at it first."""


class MovingWindow:
    """How often each sender may do something.

    A clock that is set back starts the count anew: whoever had done it as often as they may would have to wait until
    the clock is where it was.
    """

    def __init__(self, rate: str) -> None:
        """`rate` as in `120/minute`."""
        self._rate = parse(rate)
        self._limiter: MovingWindowRateLimiter | None = None
        self._newest = 0.0

    @property
    def amount(self) -> int:
        """How often, in the time that the window is long."""
        return int(self._rate.amount)

    def wait(self, sender: str, count: int = 1) -> int | None:
        """Counts that the sender does it so many times, and gives None; or the whole seconds until they may."""
        now = time.time()
        if self._limiter is None or now < self._newest - _SET_BACK_SECONDS:
            self._limiter = MovingWindowRateLimiter(MemoryStorage())  # starts a thread: only where somebody asks
        self._newest = now
        if self._limiter.hit(self._rate, sender, cost=count):
            return None
        free_at = self._limiter.get_window_stats(self._rate, sender).reset_time
        return max(1, math.ceil(free_at - time.time()))
