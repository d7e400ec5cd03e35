"""A limit on the time that a body may take: whoever is slower loses the connection, and the thread that waited is free.

Of the connections from an address whose body is overdue those are ended on which nothing moved for that time, or on
which something came that was not answered for that time. Of the same address's other connections these are such as lay
idle, and such as wait for an answer that takes as long itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from itertools import count

from service.connections import Connection, connections
from service.running.heeding import stopping
from service.running.telemetry import logger

STOPPING_SECONDS = 5.0
"""What a body may take once the worker was told to stop."""
_BETWEEN_LOOKS = 0.5
_AT_ONCE = 1.0
"""A body that takes less is not looked at: nearly every one comes with its headers."""


class BodyTimes:
    """Knows the bodies on their way to one worker, and ends those that take too long."""

    def __init__(self, seconds: float, listed: Callable[[], Iterable[Connection]]) -> None:
        """`seconds` may a body take; `listed` gives the worker's connections."""
        self._seconds = seconds
        self._listed = listed
        self._numbers = count()
        self._began: dict[int, tuple[float, str]] = {}
        self._unanswered: dict[int, tuple[float, float]] = {}
        """By the connection's number: when it was first seen to wait for an answer, and when one was last sent."""

    def began(self, address: str) -> int:
        """A body from that address is on its way. Gives what `ended` is to be told."""
        number = next(self._numbers)
        self._began[number] = time.monotonic(), address
        return number

    def ended(self, number: int) -> None:
        """It came, or did not."""
        del self._began[number]

    def watch(self) -> None:
        """Looks again and again, in a thread of its own."""
        threading.Thread(target=self._look_for_ever, name="body times", daemon=True).start()

    def _look_for_ever(self) -> None:
        while True:
            time.sleep(_BETWEEN_LOOKS)
            try:
                self.look()
            except Exception as error:  # without it there would be no limit any more, and nobody would know
                logger().error("body_times_not_looked_at", error=type(error).__name__)

    def look(self) -> int:
        """Ends the connections of bodies that are overdue; how many."""
        now = time.monotonic()
        waited: dict[str, float] = {}
        for began, address in list(self._began.values()):
            waited[address] = max(waited.get(address, 0.0), now - began)
        if max(waited.values(), default=0.0) < _AT_ONCE:
            self._unanswered.clear()
            return 0
        limit = min(self._seconds, STOPPING_SECONDS) if stopping.is_set() else self._seconds
        return self._end_overdue({address for address, seconds in waited.items() if seconds >= limit}, limit, now)

    def _end_overdue(self, overdue: set[str], limit: float, now: float) -> int:
        before, self._unanswered = self._unanswered, {}
        ended = 0
        for one in self._listed():
            silent = min(one.sent, one.received) >= limit
            if one.received < one.sent:
                since, last_sent = before.get(one.number, (now, now - one.sent))
                if now - one.sent > last_sent + _AT_ONCE / 2:  # it was answered meanwhile: this is another request
                    since, last_sent = now, now - one.sent
                self._unanswered[one.number] = since, last_sent
                silent = silent or now - since >= limit
            if silent and one.address in overdue:
                one.end()
                ended += 1
        if ended:
            logger().warning("slow_bodies_ended", connections=ended)
        return ended


def body_times(seconds: float, port: int) -> BodyTimes:
    """The limit for a worker that serves that port, being watched."""
    made = BodyTimes(seconds, lambda: connections(port))
    made.watch()
    return made
