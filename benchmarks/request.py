"""What does Python take of a request, without server, socket and log? Direct calls, against the no-op's.

Ours is called as the server calls it, with as many requests at once as a worker has of 64 connections, and all that an
answer needs, its log entry composed too; only the append is left out, and settles at once. The no-op is Flask's, as in
`benchmarks.http`. Both take turns in one thread; processor time, the best of the rounds, as everything else adds.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from io import BytesIO
from typing import Any
from unittest import mock

from flask import Flask
from rich.console import Console

from benchmarks import noop
from benchmarks.figures import print_aim, ratio_table
from benchmarks.prepared import WORKED_CASE, NotPrepared, Prepared
from service.log.store import LogStore
from service.log.writer import Pending, Receipt
from service.model_files import load_active
from service.running.application import application
from service.running.assembly import open_log
from service.running.door import Door
from service.running.metrics import Metrics
from service.screening.short_way import ADDRESS
from service.settings import read_settings

FLOOR = "no-op"
AT_ONCE = 32
REQUESTS = 1600
ROUNDS = 25
AIM, AIM_FLOOR = 20.0, 50.0
"""Microseconds: above the no-op, and the no-op's own on the machine of the design's prototypes (47 to 56)."""
_RECEIPT = Receipt(1, "0" * 36, "a" * 64, "2026-01-01T00:00:00.000000Z", "x" * 180)
_ENVIRON = {
    "REQUEST_METHOD": "POST",
    "SCRIPT_NAME": "",
    "PATH_INFO": ADDRESS,
    "QUERY_STRING": "",
    "CONTENT_TYPE": "application/json",
    "HTTP_HOST": "localhost",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}
_SCOPE = {
    "type": "http",
    "http_version": "1.1",
    "method": "POST",
    "scheme": "http",
    "path": ADDRESS,
    "raw_path": ADDRESS.encode(),
    "query_string": b"",
    "server": ("127.0.0.1", 80),
}


def run(ready: Prepared, console: Console) -> None:
    """Calls them in turns, ours with the compiled kernel and without, and prints the table."""
    os.environ.update(ready.environment(GROUNDS_SCREENING_RATE="1000000/second"))
    settings = read_settings()
    with closing(open_log(settings)) as log, mock.patch.object(LogStore, "append_soon", _settled_at_once):
        doors = {}
        for name in ("Grounds", "Grounds, no kernel"):
            released = load_active(settings.models, settings.keys)
            if name != "Grounds":
                released._kernel[:] = [(None, "left out")]
            elif released.kernel is None:
                raise NotPrepared(f"the kernel is {released.kernel_state}; run make kernel")
            doors[name] = Door(application(settings, released, log, Metrics()), AT_ONCE)
        body = WORKED_CASE.read_bytes()
        calls: dict[str, Callable[[], None]] = {FLOOR: partial(_call_wsgi, noop.application(), body)}
        calls |= {name: partial(_call_asgi, door, body, ready.key) for name, door in doors.items()}
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)  # as service.running.worker does
        rounds = [{name: _microseconds(call) for name, call in calls.items()} for _ in range(ROUNDS)]
    best = {name: min(one[name] for one in rounds) for name in calls}
    rows = [
        [name, f"{took:.0f}", f"{took - best[FLOOR]:.0f}", f"{took / best[FLOOR]:.2f}"] for name, took in best.items()
    ]
    columns = ("", "µs a request", "above the no-op", "times the no-op")
    console.print(ratio_table("Python in a request, without server and log", columns, rows))
    above, floor = best["Grounds"] - best[FLOOR], best[FLOOR]
    aim = (
        f"at most {AIM:.0f} µs above the no-op where that takes {AIM_FLOOR:.0f}, so here {AIM * floor / AIM_FLOOR:.0f}"
    )
    print_aim(console, aim, f"{above:.0f}", above <= AIM * floor / AIM_FLOOR)


def _microseconds(call: Callable[[], None]) -> float:
    began = time.process_time()
    call()
    return (time.process_time() - began) / REQUESTS * 1e6


def _call_wsgi(app: Flask, body: bytes) -> None:
    statuses: list[str] = []
    for number in range(REQUESTS):
        environ = {
            **_ENVIRON,
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_PORT": str(number),
            "wsgi.input": BytesIO(body),
        }
        b"".join(app(environ, lambda status, *_: statuses.append(status)))
    _all_answered(len([status for status in statuses if status.startswith("201")]))


def _call_asgi(door: Door, body: bytes, key: str) -> None:
    _all_answered(asyncio.run(_asked(door, body, key)))


async def _asked(door: Door, body: bytes, key: str) -> int:
    """How many were answered."""
    answered = 0
    headers = [
        (b"host", b"localhost"),
        (b"authorization", f"Bearer {key}".encode()),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
    ]

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        nonlocal answered
        answered += message.get("status") == 201

    async def connection(number: int) -> None:
        for _ in range(REQUESTS // AT_ONCE):
            await door({**_SCOPE, "client": ("127.0.0.1", number), "headers": headers}, receive, send)

    await asyncio.gather(*[connection(number) for number in range(AT_ONCE)])
    return answered


def _settled_at_once(
    _log: LogStore, kind: str, payload: bytes, entry_id: str, unique: str | None, settled: Callable[[], None]
) -> Pending:
    pending = Pending(kind, entry_id, b"", "", payload, unique, settled)
    pending.receipt = _RECEIPT
    settled()
    return pending


def _all_answered(number: int) -> None:
    if number != REQUESTS:
        raise NotPrepared(f"of {REQUESTS} direct requests {number} were answered")
