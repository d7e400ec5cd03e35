"""An issuer's public keys (RFC 7517), by key id: from its file, or from its address."""

from __future__ import annotations

import threading

import orjson
from jwt import PyJWK, PyJWKSet

from service.access.fetching import fetched
from service.access.issuer_keys import UNREADABLE, IssuerKeys, KeySet, KeysUnavailable
from service.cds_hooks.plan import Issuer
from service.running.telemetry import logger

KEPT_SECONDS = 3600.0
"""How long keys from an address are believed; a key that an issuer takes away is refused after that."""
BETWEEN_SECONDS = 30.0
"""The shortest time between two fetches: a key id that nobody knows must not make us ask the issuer each time."""


class PublicKeys:
    """The keys of one issuer. Safe to share between threads."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._lock = threading.Lock()
        self._in_file: KeySet = {}
        self._state: tuple[int, int] | None = None
        self._followed = IssuerKeys(issuer.iss, self._ask, KEPT_SECONDS, BETWEEN_SECONDS)

    def key(self, kid: str) -> PyJWK | None:
        """The key of that id; None where the issuer has none. Raises `KeysUnavailable`."""
        return self._followed.key(kid) if self._issuer.jwks_file is None else self._read_file().get(kid)

    def _read_file(self) -> KeySet:
        path = self._issuer.jwks_file
        assert path is not None
        with self._lock:
            try:
                found = path.stat()
                if self._state != (state := (found.st_ino, found.st_mtime_ns)):
                    self._in_file = _by_id(path.read_bytes())
                    self._state = state
            except (OSError, *UNREADABLE) as error:
                logger().error("issuer_keys_unavailable", issuer=self._issuer.iss, error=type(error).__name__)
                raise KeysUnavailable from None
            return self._in_file

    def _ask(self) -> KeySet:
        assert self._issuer.jwks_url is not None
        return _by_id(fetched(self._issuer.jwks_url))


def _by_id(raw: bytes) -> KeySet:
    """The usable keys of a set by their ids. Raises one of `UNREADABLE`."""
    found = orjson.loads(raw)
    if not isinstance(found, dict):
        raise ValueError("not a JSON Web Key Set")
    return {key.key_id: key for key in PyJWKSet.from_dict(found).keys if key.key_id}
