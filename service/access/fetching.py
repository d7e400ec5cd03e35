"""What an issuer of tokens publishes: fetched over HTTPS, from the address that was set and from no other."""

from __future__ import annotations

import urllib.request
from typing import Any
from urllib.error import HTTPError

from service.settings import is_own_or_https

TIMEOUT_SECONDS = 5.0
LARGEST = 262_144
"""Bytes that are read of an answer."""


class _Straight(urllib.request.HTTPRedirectHandler):
    """Goes where the settings say and nowhere else: a redirect is an error."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """No other request."""
        return


def fetched(address: str) -> bytes:
    """What is at that address. Raises `OSError`; `ValueError` where it is neither HTTPS nor this machine's own."""
    if not is_own_or_https(address):
        raise ValueError("an issuer is asked over HTTPS alone")
    try:
        with urllib.request.build_opener(_Straight).open(address, timeout=TIMEOUT_SECONDS) as answer:
            found: bytes = answer.read(LARGEST)
    except HTTPError as error:
        error.close()  # it holds the connection
        raise
    return found
