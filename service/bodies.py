"""Bodies are read before a request takes its turn, so that whoever sends slowly keeps nobody else waiting.

A thread waits for each body that is on its way, and nothing can end that wait early. So only so many are read at once:
further ones are told at once that there is too much to do, and the threads behind them stay free for the addresses by
which an operator sees it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

from service.errors import Problem, problem
from service.screening.seats import RETRY_AFTER

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, WSGIEnvironment

_AT_A_TIME = 65_536


class Bodies:
    """Reads the bodies of one worker's requests."""

    def __init__(self, at_once: int, limit: int, limits: Mapping[str, int]) -> None:
        """Reads `at_once` bodies at a time, of `limit` bytes at most, or what `limits` says of their address."""
        self._turns = threading.BoundedSemaphore(at_once)
        self._limit, self._limits = limit, limits

    def read(self, environ: WSGIEnvironment) -> Problem | None:
        """Reads the body, where there is one; or the problem of one that is turned away.

        A body that says itself that it is too large is left unread, and of another no more is read than shows it: both
        are then refused for it.
        """
        length = environ.get("CONTENT_LENGTH") or ""
        limit = self._limits.get(environ["PATH_INFO"], self._limit)
        if length.isdecimal():
            size = int(length)
            if not 0 < size <= limit:
                return None
        elif "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            size = limit + 1
        else:
            return None
        if not self._turns.acquire(blocking=False):
            return problem("overloaded", Retry_After=RETRY_AFTER)
        try:
            body = _read(environ["wsgi.input"], size)
        finally:
            self._turns.release()
        environ["wsgi.input"] = BytesIO(body)
        if not length:
            environ["CONTENT_LENGTH"] = str(len(body))
            del environ["HTTP_TRANSFER_ENCODING"]
        return None


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
