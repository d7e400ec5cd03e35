"""How often one key may ask: a moving window, counted in this worker's memory."""

from __future__ import annotations

import math
import time

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from service.errors import problem


class KeyRate:
    """The rate of each key. Workers count apart, so that a key may ask them together as often as there are workers."""

    def __init__(self, rate: str) -> None:
        """`rate` as in `120/minute`."""
        self._rate = parse(rate)
        self._limiter: MovingWindowRateLimiter | None = None

    def admit(self, key_id: str, count: int = 1) -> None:
        """Counts a request, or as many as it stands for.

        Raises `Problem` 429 with Retry-After, in whole seconds, where there were too many.
        """
        if self._limiter is None:  # its storage starts a thread: only where somebody asks
            self._limiter = MovingWindowRateLimiter(MemoryStorage())
        if not self._limiter.hit(self._rate, key_id, cost=count):
            free_at = self._limiter.get_window_stats(self._rate, key_id).reset_time
            raise problem("rate_limited", Retry_After=str(max(1, math.ceil(free_at - time.time()))))
