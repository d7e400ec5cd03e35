"""Whose request it is, as far as that is told by one look at its headers: enough to say whose turn a body takes.

It opens nothing. Whether the sender may do what they ask is for the view to find out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from service.access.keys import Keys

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


SignedIn = Callable[[str], str | None]
"""Gives the id of the key by which whoever sends a Cookie header is signed in; None where nobody is."""


class Senders:
    """Knows holders of accepted keys, of tokens that were found good before, and who is signed in to the pages."""

    def __init__(self, keys: Keys, signed_in: SignedIn) -> None:
        self._keys = keys
        self._signed_in = signed_in

    def key_id(self, environ: WSGIEnvironment) -> str | None:
        """The id of the key, or the token's holder; None for whoever is not known at first sight."""
        authorization = environ.get("HTTP_AUTHORIZATION")
        if authorization:
            caller = self._keys.known(authorization)
            return None if caller is None else caller.key_id
        cookie = environ.get("HTTP_COOKIE")
        return self._signed_in(cookie) if cookie else None
