"""How often one key may ask for what makes an entry in the log: a moving window, counted in this worker's memory."""

from __future__ import annotations

from service.access.moving_window import MovingWindow
from service.errors import problem

LOTS = 100
"""A key is given the requests of its window in so many lots: the window is looked at once a lot."""


class KeyRate:
    """The rate of each key. Workers count apart, so that a key may ask them together as often as there are workers.

    What is left of a lot stays the key's, so that in a window it may ask for a hundredth more at most.
    """

    def __init__(self, rate: str | None) -> None:
        """`rate` as in `120/minute`; None is as often as a key likes."""
        self._window = None if rate is None else MovingWindow(rate)
        self.most = None if self._window is None else self._window.amount
        """As often as a key may ask in its time; None for as often as it likes."""
        self._lot = max(1, (self.most or 0) // LOTS)
        self._left: dict[str, int] = {}

    def admit(self, key_id: str, count: int = 1) -> None:
        """Counts a request, or as many as it stands for.

        Raises `Problem` 429 with Retry-After, in whole seconds, where there were too many.
        """
        if self._window is None:
            return
        left = self._left.get(key_id, 0) - count
        if left < 0:
            left = self._taken(self._window, key_id, count)
        self._left[key_id] = left

    def _taken(self, window: MovingWindow, key_id: str, count: int) -> int:
        """Takes a lot, or where the window has no more than that, just what is asked for; gives what is left of it."""
        seconds = None
        for cost in (max(self._lot, count), count):
            seconds = window.wait(key_id, cost)
            if seconds is None:
                return cost - count
        raise problem("rate_limited", Retry_After=str(seconds))
