"""An issuer's public keys (RFC 7517), by key id: from its file, or from its address with a cache."""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError

import orjson
from jwt import PyJWK, PyJWKSet, PyJWKSetError

from service.cds_hooks.plan import Issuer
from service.running.telemetry import logger

KEPT_SECONDS = 3600.0
"""How long keys from an address are believed; a key that an issuer takes away is refused after that."""
BETWEEN_SECONDS = 30.0
"""The shortest time between two fetches: a key id that nobody knows must not make us ask the issuer each time."""
TIMEOUT_SECONDS = 5.0
LARGEST = 262_144


class KeysUnavailable(Exception):
    """There are no keys of that issuer, now."""


class _Straight(urllib.request.HTTPRedirectHandler):
    """Goes where the settings say and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """No other request: the redirect is then an error."""
        return


class PublicKeys:
    """The keys of one issuer. Safe to share between threads."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._lock = threading.Lock()
        self._keys: Mapping[str, PyJWK] = {}
        self._state: tuple[int, int] | None = None
        self._asked = self._fetched = float("-inf")

    def key(self, kid: str) -> PyJWK | None:
        """The key of that id; None where the issuer has none. Raises `KeysUnavailable`."""
        with self._lock:
            if self._issuer.jwks_file is not None:
                self._read_file()
            else:
                self._read_address(kid)
            return self._keys.get(kid)

    def _read_file(self) -> None:
        path = self._issuer.jwks_file
        assert path is not None
        try:
            found = path.stat()
            if self._state != (state := (found.st_ino, found.st_mtime_ns)):
                self._keys = _by_id(path.read_bytes())
                self._state = state
        except (OSError, ValueError, PyJWKSetError) as error:
            self._unavailable(error)

    def _read_address(self, kid: str) -> None:
        now = time.monotonic()
        stale = now - self._fetched > KEPT_SECONDS
        if (kid in self._keys and not stale) or now - self._asked < BETWEEN_SECONDS:
            if stale:
                raise KeysUnavailable
            return
        self._asked = now
        assert self._issuer.jwks_url is not None
        opener = urllib.request.build_opener(_Straight)
        try:
            with opener.open(self._issuer.jwks_url, timeout=TIMEOUT_SECONDS) as answer:
                self._keys = _by_id(answer.read(LARGEST + 1)[:LARGEST])
            self._fetched = now
        except (OSError, ValueError, PyJWKSetError) as error:
            if isinstance(error, HTTPError):
                error.close()  # it holds the connection
            if stale:
                self._unavailable(error)
            logger().warning("issuer_keys_not_renewed", issuer=self._issuer.iss, error=type(error).__name__)

    def _unavailable(self, error: Exception) -> None:
        logger().error("issuer_keys_unavailable", issuer=self._issuer.iss, error=type(error).__name__)
        raise KeysUnavailable from None


def _by_id(raw: bytes) -> dict[str, PyJWK]:
    """The usable keys of a set by their ids. Raises `ValueError` or `PyJWKSetError`."""
    found = orjson.loads(raw)
    if not isinstance(found, dict):
        raise ValueError("not a JSON Web Key Set")
    return {key.key_id: key for key in PyJWKSet.from_dict(found).keys if key.key_id}
