"""The short way of a screening: a request that is plainly right is answered on the event loop (ADR 17).

It does what the view of `POST /v1/screenings` does, over the same desk, and decides nothing else: a request that is in
any way out of the ordinary is left to Flask as it came, and so is a refusal, to be worded and counted there alone.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, NamedTuple

from service.access.keys import Caller
from service.asgi import Receive, Scope, Send
from service.bodies import LONGEST_LENGTH
from service.errors import Problem, problem
from service.records import with_record
from service.screening.desk import Answered, ScreeningDesk
from service.screening.idempotency import Once, idempotency_key
from service.screening.reading import JSON, check_agency, parsed
from service.screening.seats import RETRY_AFTER
from service.web import HEADERS, TURNED_AWAY, Web

ADDRESS = "/v1/screenings"
RAISED = "grounds.raised"
"""Where Flask's view finds what went wrong on the short way, to raise it in its own place."""
_JSON = JSON.encode()
_HEADERS = [(b"content-type", _JSON), *((name.lower().encode(), value.encode()) for name, value in HEADERS)]


class Left(NamedTuple):
    """What is left to Flask: a request whose body was read as far as this, to its end if `whole`."""

    body: bytes = b""
    whole: bool = False
    mark: tuple[str, Exception] | None = None
    """Where in Flask's environment to put what went wrong: to be raised there, and nothing to be done again."""


class _Head(NamedTuple):
    authorization: str
    caller: Caller
    idempotency_key: str | None
    length: int


def raise_again(environ: Mapping[str, Any]) -> None:
    """Raises what the short way met with this request; does nothing where it met nothing."""
    error = environ.get(RAISED)
    if error is not None:
        raise error


class ShortWay:
    """Answers plainly right screenings, and says of all others how far they were read."""

    def __init__(self, web: Web, desk: ScreeningDesk, body_limit: int) -> None:
        """`body_limit` is in bytes; `web` has the turns, and is told of each answer."""
        self._web = web
        self._desk = desk
        self._limit = body_limit
        self._settling: _Settling | None = None
        self._in_hand = 0

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> Left | None:
        """Answers the request; or what is left to Flask."""
        began = time.perf_counter()
        head = self._plain_head(scope)
        if head is None:
            return Left()
        bodies, client = self._web.bodies, scope.get("client")
        turn = nullcontext() if bodies is None else bodies.turn(head.caller.key_id, client[0] if client else "")
        if turn is None:
            return Left()
        with turn:
            body, whole = await _read(receive, head.length)
        if not whole or len(body) != head.length:
            return Left(body, whole)
        if self._desk.keys.known(head.authorization) != head.caller:  # revoked while the body came
            return Left(body, whole=True)
        # Who waits for the log takes no thread's turn, so there are as many of these again.
        waits: AbstractContextManager[None] = nullcontext()
        seats = self._web.seats
        if seats is not None and self._in_hand >= seats.seats:
            if self._in_hand >= seats.seats + seats.waiting:
                return Left(body, whole=True, mark=(TURNED_AWAY, problem("overloaded", Retry_After=RETRY_AFTER)))
            waits = seats.queued()
        self._in_hand += 1
        try:
            with waits:
                answered = await self._screened(head, body)
        finally:
            self._in_hand -= 1
        if isinstance(answered, Left):
            return answered
        await self._send(answered, send)
        self._web.noted("POST", ADDRESS, 201, began)
        return None

    def _plain_head(self, scope: Scope) -> _Head | None:
        """What the head of a plainly right screening says; None where it may be none."""
        if scope["path"] != ADDRESS or scope["method"] != "POST" or self._desk.refuses_some:
            return None
        given = list(scope["headers"])
        headers = dict(given)
        length = headers.get(b"content-length", b"")
        if (
            len(headers) < len(given)  # one stands twice
            or headers.get(b"content-type") != _JSON
            or b"content-encoding" in headers
            or not length.isdigit()
            or len(length) > LONGEST_LENGTH
            or any(b"_" in name for name in headers)
            or not 0 < int(length) <= self._limit
        ):
            return None
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        # A token is checked anew against its issuer's keys, which may have to be asked for.
        if authorization[:7].lower() != "bearer " or authorization.count(".") == 2:
            return None
        caller = self._desk.keys.known(authorization)
        if caller is None or caller.role != "practitioner":
            return None
        key = headers.get(b"idempotency-key")
        return _Head(authorization, caller, None if key is None else key.decode("latin-1"), int(length))

    async def _screened(self, head: _Head, body: bytes) -> Answered | Left:
        try:
            asked = self._desk.acceptor.accept(parsed(body))
            if asked is None:
                return Left(body, whole=True)
            check_agency(asked, head.caller)  # and the acceptor takes listed values alone: what was asked tells all
            once = idempotency_key(head.idempotency_key, head.caller, "screening")
        except Problem:
            return Left(body, whole=True)
        except Exception as error:
            return Left(body, whole=True, mark=(RAISED, error))
        if once is not None and once.earlier:  # the log is to be asked first
            return Left(body, whole=True)
        try:
            return await self._recorded(head.caller, asked, once)
        except Exception as error:
            return Left(body, whole=True, mark=(RAISED, error))

    async def _recorded(self, caller: Caller, asked: dict[str, Any], once: Once | None) -> Answered:
        loop = asyncio.get_running_loop()
        if self._settling is None or self._settling.loop is not loop:
            self._settling = _Settling(loop)
        future: asyncio.Future[None] = loop.create_future()
        begun = self._desk.begin(caller, asked, once, partial(self._settling.settled, future))
        await future
        answered = self._desk.end(begun)
        return await asyncio.to_thread(self._desk.repeated, begun) if answered is None else answered

    async def _send(self, answered: Answered, send: Send) -> None:
        shown = with_record(answered.answer, answered.record, self._desk.origin)
        headers = [
            *_HEADERS,
            (b"content-length", b"%d" % len(shown)),
            (b"location", f"{ADDRESS}/{answered.record.entry_id}".encode()),
            *((name.lower().encode(), value.encode()) for name, value in answered.headers),
        ]
        await send({"type": "http.response.start", "status": 201, "headers": headers, "trailers": False})
        await send({"type": "http.response.body", "body": shown, "more_body": False})


class _Settling:
    """Tells an event loop of what other threads settled, by one call of all that came together."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._settled: deque[asyncio.Future[None]] = deque()
        self._told = False

    def settled(self, future: asyncio.Future[None]) -> None:
        """The future may go on. Any thread may say so."""
        self._settled.append(future)
        if not self._told:
            self._told = True  # before the loop is told: it may go on before this thread does
            self.loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        self._told = False  # before the first look: what comes after it is told anew
        while self._settled:
            future = self._settled.popleft()
            if not future.done():
                future.set_result(None)


async def _read(receive: Receive, length: int) -> tuple[bytes, bool]:
    """The body, or as much of it as shows that it is too long; and whether there is no more to come."""
    parts: list[bytes] = []
    read = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts), True  # the sender is gone
        parts.append(message["body"])
        read += len(message["body"])
        if not message["more_body"]:
            return b"".join(parts), True
        if read > length:
            return b"".join(parts), False
