"""Bodies are read before a request takes its turn, so that whoever sends slowly keeps nobody else waiting.

A thread waits for each body that is on its way. So only so many are read at once: further ones are told at once that
there is too much to do, and the threads behind them stay free for the addresses by which an operator sees it. Whoever
has no accepted key has turns apart from those who have, and no sender can take all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from service.body_times import BodyTimes
from service.errors import Problem, problem
from service.screening.seats import RETRY_AFTER

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, WSGIEnvironment

LONGEST_LENGTH = 19
"""Digits of a Content-Length; what is longer is too large, and beyond some thousands no number to Python."""
_AT_A_TIME = 65_536
_ADDRESSES_KEPT = 1024


class Turns:
    """So many bodies at once, and of one sender or one address no more than a share of them."""

    def __init__(self, at_once: int, of_one_key: int, of_one_address: int) -> None:
        self._left = at_once
        self._most_of_key, self._most_of_address = max(1, of_one_key), max(1, of_one_address)
        self._of_key: dict[str, int] = {}
        self._of_address: dict[str, int] = {}
        self._mutex = threading.Lock()

    def take(self, key_id: str, address: str) -> bool:
        """Takes a turn, to be given back; False where there is none."""
        with self._mutex:
            of_key, of_address = self._of_key.get(key_id, 0), self._of_address.get(address, 0)
            if self._left < 1 or of_key >= self._most_of_key or of_address >= self._most_of_address:
                return False
            self._left -= 1
            self._of_key[key_id], self._of_address[address] = of_key + 1, of_address + 1
        return True

    def give_back(self, key_id: str, address: str) -> None:
        """Ends a turn."""
        with self._mutex:
            self._left += 1
            self._of_key[key_id] -= 1
            self._of_address[address] -= 1
            if len(self._of_address) > _ADDRESSES_KEPT:  # nobody may fill the memory by coming from many
                self._of_address = {one: taken for one, taken in self._of_address.items() if taken}


class Bodies:
    """Reads the bodies of one worker's requests."""

    def __init__(self, threads: int, limit: int, limits: Mapping[str, int], times: BodyTimes | None = None) -> None:
        """Reads bodies of `limit` bytes at most, or what `limits` says of their address.

        Three times as many at once as there are `threads` for requests, of senders with an accepted key, and of one key
        twice as many: more than can be served and wait then, so that no sender is turned away for this who would not be
        anyway. As many as there are `threads` of the others. `times` is the limit on their time.
        """
        self._known = Turns(3 * threads, 2 * threads, 5 * threads // 2)
        self._others = Turns(threads, threads, 3 * threads // 4)
        self._limit, self._limits = limit, limits
        self._times = times

    def read(self, environ: WSGIEnvironment, key_id_of: Callable[[WSGIEnvironment], str | None]) -> Problem | None:
        """Reads the body, where there is one; or the problem of one that is turned away.

        A body that says itself that it is too large is left unread, and of another no more is read than shows it: both
        are then refused for it.
        """
        length = environ.get("CONTENT_LENGTH") or ""
        limit = self._limits.get(environ["PATH_INFO"], self._limit)
        if length.isdecimal():
            size = int(length) if len(length) <= LONGEST_LENGTH else limit + 1
            if not 0 < size <= limit:
                return None
        elif "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            size = limit + 1
        else:
            return None
        turn = self.turn(key_id_of(environ), environ.get("REMOTE_ADDR", ""))
        if turn is None:
            return problem("overloaded", Retry_After=RETRY_AFTER)
        with turn:
            body = _read(environ["wsgi.input"], size)
        environ["wsgi.input"] = BytesIO(body)
        if not length:
            environ["CONTENT_LENGTH"] = str(len(body))
            del environ["HTTP_TRANSFER_ENCODING"]
        return None

    def turn(self, key_id: str | None, address: str) -> Turn | None:
        """A turn to read a body, which ends with a `with` block; None where there is none.

        `key_id` is None for whoever has no accepted key.
        """
        turns = self._others if key_id is None else self._known
        if not turns.take(key_id or "", address):
            return None
        return Turn(turns, key_id or "", address, self._times)


class Turn:
    """A turn that was taken, and the time that its body takes."""

    __slots__ = ("_address", "_key_id", "_number", "_times", "_turns")

    def __init__(self, turns: Turns, key_id: str, address: str, times: BodyTimes | None) -> None:
        self._turns, self._key_id, self._address, self._times = turns, key_id, address, times
        self._number = 0 if times is None else times.began(address)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_error: object) -> None:
        if self._times is not None:
            self._times.ended(self._number)
        self._turns.give_back(self._key_id, self._address)


def _read(source: InputStream, size: int) -> bytes:
    """As many bytes as there are, `size` at most."""
    first = source.read(min(size, _AT_A_TIME))
    if len(first) == size or not first:
        return first
    parts, left = [first], size - len(first)
    while left and (part := source.read(min(left, _AT_A_TIME))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
