"""Requests as the server hands them to a worker's door, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from service.running.door import Door
from service.web import Web

THREADS = 4


class Answer(NamedTuple):
    """What was sent: status, headers in order with names in lower case, and the body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def scope_of(method: str, path: str, headers: Mapping[str, str], query: str = "") -> dict[str, Any]:
    """What the server says of a request."""
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8000),
    }


def ask(web: Web, scope: Mapping[str, Any], parts: Sequence[bytes] = (b"",)) -> Answer:
    """The answer to a request whose body comes in these parts; behind them the sender is gone."""
    # In a thread of its own: what drives the browser leaves a loop running in the one of the tests.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _asked(web, scope, parts)).result()


async def _asked(web: Web, scope: Mapping[str, Any], parts: Sequence[bytes]) -> Answer:
    coming = list(parts)
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        if not coming:
            return {"type": "http.disconnect"}
        body = coming.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(coming)}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    await Door(web, THREADS)(scope, receive, send)
    start, *bodies = sent
    assert [body["more_body"] for body in bodies] == [True] * (len(bodies) - 1) + [False]
    headers = [(name.decode(), value.decode()) for name, value in start["headers"]]
    return Answer(start["status"], headers, b"".join(body["body"] for body in bodies))
