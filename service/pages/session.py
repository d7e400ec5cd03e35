"""Who sits before a page: a signed cookie that names a key, never the key itself, and ends with the working day.

The cookie says only which key signed in and when. At each request that key is looked up again, so that a key which was
revoked or has expired ends its sessions within a second.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from flask import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.http import parse_cookie

from model.files import write_whole
from service.access.keys import Caller, Keys
from service.errors import Problem, problem

COOKIE_KEY_FILE = "pages.key"
MOST_OPEN = 1024
"""Cookies that a worker remembers to be signed."""
HOURS = 8
"""A working day. A shared computer in a clinic should not stay signed in overnight."""


class SignInNeeded(Exception):
    """Nobody is signed in, or the session has ended."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in; `token` proves that a form came from a page of theirs."""

    caller: Caller
    token: str


@dataclass(frozen=True, slots=True)
class _Opened:
    key_id: str
    token: str
    at: float
    """Seconds since the epoch at which the session began."""


class Sessions:
    """Opens and ends the sessions of the pages."""

    def __init__(self, keys: Keys, secret: bytes, https: bool) -> None:
        self._keys = keys
        self._secret = secret
        self._https = https
        self._opened: OrderedDict[str, _Opened] = OrderedDict()
        self._signer = URLSafeTimedSerializer(secret, salt="grounds pages")

    @property
    def cookie(self) -> str:
        """The cookie's name; `__Host-` binds it to this host, which browsers allow over HTTPS only."""
        return "__Host-grounds" if self._https else "grounds"

    def visitor(self, request: Request) -> Visitor | None:
        """Who sent the request; None where nobody is signed in."""
        return self._visitor(request.cookies.get(self.cookie, ""))

    def key_id(self, header: str) -> str | None:
        """The id of the key by which whoever sends that Cookie header is signed in; None where nobody is."""
        visitor = self._visitor(parse_cookie(header).get(self.cookie, ""))
        return None if visitor is None else visitor.caller.key_id

    def _visitor(self, cookie: str) -> Visitor | None:
        opened = self._open(cookie)
        if opened is None or not 0 <= time.time() - opened.at <= HOURS * 3600:
            return None
        caller = self._keys.by_id(opened.key_id)
        return None if caller is None else Visitor(caller, opened.token)

    def _open(self, cookie: str) -> _Opened | None:
        """What a cookie says, its signature checked the first time that it is seen; None where it says nothing."""
        opened = self._opened.get(cookie)
        if opened is None:
            try:
                (key_id, nonce), at = self._signer.loads(cookie, return_timestamp=True)
            except (BadSignature, ValueError, TypeError):
                return None
            opened = self._opened[cookie] = _Opened(key_id, self._token(nonce), at.timestamp())
            while len(self._opened) > MOST_OPEN:
                self._opened.popitem(last=False)
        return opened

    def sign_in(self, key: str, response: Response) -> Caller:
        """Starts a session for the holder of a key. Raises `Problem` 401."""
        caller = self._keys.caller(f"Bearer {key}")
        value = self._signer.dumps([caller.key_id, secrets.token_hex(16)])
        response.set_cookie(
            self.cookie, value, max_age=HOURS * 3600, path="/", secure=self._https, httponly=True, samesite="Strict"
        )
        return caller

    def sign_out(self, response: Response) -> None:
        """Ends the session in this browser."""
        response.delete_cookie(self.cookie, path="/", secure=self._https, httponly=True, samesite="Strict")

    def check_form(self, visitor: Visitor, request: Request) -> None:
        """Raises `Problem` 403 unless a form was sent from a page of this visitor's own session."""
        check_origin(request)
        if not hmac.compare_digest(request.form.get("token", "").encode(), visitor.token.encode()):
            raise form_refused()

    def _token(self, nonce: str) -> str:
        return hmac.digest(self._secret, b"form " + nonce.encode(), "sha256").hex()


def check_origin(request: Request) -> None:
    """Raises `Problem` 403 where the browser says that a form came from another site (Fetch Metadata, Origin)."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    if site not in ("same-origin", "none") or (origin is not None and origin.split("://")[-1] != request.host):
        raise form_refused()


def form_refused() -> Problem:
    """The problem of a form that did not come from one of our pages, or from one of a session that has ended."""
    return problem("form_refused")


def page_secret(keys: Path) -> bytes:
    """The secret that signs the cookies, 32 bytes in a file for this user alone; made on first use."""
    path = keys / COOKIE_KEY_FILE
    if not path.exists():
        keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(path, secrets.token_bytes(32), 0o600)
    return path.read_bytes()
