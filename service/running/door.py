"""The door of a worker: an ASGI application. Plain screenings are answered on the loop, all else by Flask in threads.

Flask answers as under any WSGI server, and knows nothing of the loop. A request that waits for a thread keeps nobody:
there are as many threads as `service.bodies` and `service.screening.seats` may let wait, and more.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO, RawIOBase
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes

from service.asgi import Receive, Scope, Send
from service.errors import problem_of
from service.screening.short_way import Left
from service.web import Web

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_BETWEEN_LOOKS = 1.0
"""Seconds after which a thread that waits for a body looks whether the loop is still there."""
_UNPREFIXED = {"CONTENT_TYPE", "CONTENT_LENGTH"}


class Door:
    """What the server calls for each request."""

    def __init__(self, web: Web, threads: int) -> None:
        """`threads` may wait at once, for what Flask answers."""
        self.web = web
        self._threads = ThreadPoolExecutor(threads, "request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        if scope["type"] != "http":
            return
        started = _Started(send)
        try:
            short = self.web.short_way
            left = Left() if short is None else await short.answer(scope, receive, started)
            if left is not None:
                await self._by_flask(scope, left, receive, started)
        except Exception as error:  # the server would print its message, which may hold case data
            refusal = problem_of(error)
            if not started.begun:
                response = refusal.response()
                answer = _Answer(refusal.status, response.headers.to_wsgi_list(), response.get_data(), None)
                await _begin(answer, started)
                await started({"type": "http.response.body", "body": answer.body, "more_body": False})

    async def _by_flask(self, scope: Scope, left: Left, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        environ = _environ(scope)
        environ["wsgi.input"] = BytesIO(left.body) if left.whole else _Body(loop, receive, left.body)
        if left.mark is not None:
            where, error = left.mark
            environ[where] = error
        answer = await loop.run_in_executor(self._threads, self._answer, environ)
        if answer.rest is None:
            await _begin(answer, send)
            await send({"type": "http.response.body", "body": answer.body, "more_body": False})
            return
        parts = iter(answer.rest)
        try:
            await _begin(answer, send)
            while (part := await loop.run_in_executor(self._threads, next, parts, None)) is not None:
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await loop.run_in_executor(self._threads, getattr(answer.rest, "close", lambda: None))

    def _answer(self, environ: WSGIEnvironment) -> _Answer:
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None, /) -> Any:
            begun[:] = [(status, headers)]
            return lambda _data: None  # nothing here writes that way

        answered = self.web(environ, start_response)
        status, headers = begun[0]
        if any(name.lower() == "content-length" for name, _ in headers):  # all of it is there
            try:
                return _Answer(int(status[:3]), headers, b"".join(answered), None)
            finally:
                getattr(answered, "close", lambda: None)()
        return _Answer(int(status[:3]), headers, b"", answered)


class _Started:
    """Sends, and knows whether an answer was begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def __call__(self, message: Mapping[str, Any]) -> None:
        """Sends."""
        self.begun = True
        await self._send(message)


class _Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    rest: Iterable[bytes] | None
    """What comes part by part, instead of `body`."""


async def _begin(answer: _Answer, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers, "trailers": False})


class _Body(RawIOBase):
    """The body of a request as a thread reads it while it comes in."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Receive, begun: bytes) -> None:
        self._loop = loop
        self._receive = receive
        self._come = begun
        self._more = True

    def readable(self) -> bool:
        """True."""
        return True

    def read(self, size: int | None = -1) -> bytes:
        """At most that many bytes, as soon as there are any, or all; none at the end, or when the sender is gone."""
        if size is None or size < 0:
            return self.readall()
        while self._more and not self._come:
            self._come, self._more = self._next()
        part, self._come = self._come[:size], self._come[size:]
        return part

    def _next(self) -> tuple[bytes, bool]:
        coming = asyncio.run_coroutine_threadsafe(_received(self._receive), self._loop)
        while True:
            try:
                return coming.result(_BETWEEN_LOOKS)
            except TimeoutError:
                if not self._loop.is_running():  # nobody will ever tell
                    return b"", False

    def readinto(self, buffer: Any) -> int:
        """As `read`."""
        part = self.read(len(buffer))
        buffer[: len(part)] = part
        return len(part)


async def _received(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    return (message["body"], message["more_body"]) if message["type"] == "http.request" else (b"", False)


def _environ(scope: Scope) -> WSGIEnvironment:
    """What WSGI (PEP 3333) says of a request; its texts are bytes, one character each."""
    server, client = scope.get("server") or ("", None), scope.get("client")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"] or scope["path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or ""),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0] if client else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" in name:
            continue  # it would pass for the one with a hyphen, which proxies look at
        key, text = name.decode("latin-1").upper().replace("-", "_"), value.decode("latin-1")
        if key not in _UNPREFIXED:
            key = f"HTTP_{key}"
        joint = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{joint}{text}" if key in environ else text
    if "CONTENT_LENGTH" not in environ:
        environ["wsgi.input_terminated"] = True  # else one that ends before its length is known to be cut off
    return environ
