"""The JSON Web Token of a CDS client (CDS Hooks 2.0, "Trusting CDS Clients"), checked before anything is read.

ES384 or RS384 by a key that the settings lead to, for the very address called, for five minutes at most, once.
"""

from __future__ import annotations

import time
from typing import Any

import jwt

from service.access.issuer_keys import UNREADABLE, KeysUnavailable
from service.access.keys import Caller, Keys, require_role
from service.cds_hooks.plan import CdsPlan, Issuer
from service.cds_hooks.public_keys import PublicKeys
from service.cds_hooks.seen_tokens import SeenTokens
from service.errors import Problem, problem
from service.records import RETRY_AFTER
from service.running.telemetry import logger

ALGORITHMS = ("ES384", "RS384")
"""The two that CDS Hooks 2.0 names; so never "none" and never a shared secret."""
LONGEST_SECONDS = 300
"""From now to `exp`, at most."""
LEEWAY_SECONDS = 30
"""For two clocks that differ."""
_REQUIRED = ["iss", "aud", "exp", "iat", "jti"]
_LONGEST_ID = 255


class CdsClients:
    """The clients that may call."""

    def __init__(self, plan: CdsPlan, keys: Keys) -> None:
        self._plan = plan
        self._keys = keys
        self._public = {iss: PublicKeys(issuer) for iss, issuer in plan.issuers.items()}
        self._seen = SeenTokens(plan.seen)

    def caller(self, authorization: str | None, path: str) -> Caller:
        """The caller behind a token for that path of the service. Raises `Problem` 401, 403 or 503."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise problem("no_token", WWW_Authenticate="Bearer")
        issuer, said = self._checked(token.strip(), f"{self._plan.url}{path}")
        self._once(issuer, said)
        caller = self._keys.newest(issuer.key_id)  # of that key, or of one that took its place
        if caller is None:
            raise _refused("its issuer's key is revoked or expired; ask the operator of Grounds")
        require_role(caller, "practitioner")
        return caller

    def _checked(self, token: str, address: str) -> tuple[Issuer, dict[str, Any]]:
        try:
            header = jwt.get_unverified_header(token)
            claimed = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except UNREADABLE:
            raise _refused("it is not a JSON Web Token") from None
        if header.get("alg") not in ALGORITHMS:
            raise _refused(f"sign it with {' or '.join(ALGORITHMS)}")
        issuer = self._plan.issuers.get(claimed) if isinstance(claimed, str) else None
        if issuer is None:
            raise _refused("its iss is not one that this service knows; ask the operator of Grounds")
        if header.get("jku") not in (None, issuer.jwks_url):
            raise _refused("its jku is not the address that this service knows for its issuer")
        key = self._public_key(issuer, header.get("kid"))
        try:
            said: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[header["alg"]],
                audience=address,
                issuer=issuer.iss,
                leeway=LEEWAY_SECONDS,
                options={"require": _REQUIRED},
            )
        except UNREADABLE as error:
            raise _refused(_fix(error)) from None
        if isinstance(said["exp"], bool) or not isinstance(said["exp"], (int, float)):
            raise _refused("its exp must be a number of seconds")
        if said["exp"] > time.time() + LONGEST_SECONDS + LEEWAY_SECONDS:
            raise _refused(f"its exp is more than {LONGEST_SECONDS} seconds away")
        return issuer, said

    def _public_key(self, issuer: Issuer, kid: object) -> Any:
        if not isinstance(kid, str):
            raise _refused("its header has no kid")
        try:
            found = self._public[issuer.iss].key(kid)
        except KeysUnavailable:
            raise problem("issuer_keys_unavailable", Retry_After=RETRY_AFTER) from None
        if found is None:
            raise _refused("its kid is not among its issuer's keys")
        return found.key

    def _once(self, issuer: Issuer, said: dict[str, Any]) -> None:
        token_id = said["jti"]
        if not isinstance(token_id, str) or not 0 < len(token_id) <= _LONGEST_ID:
            raise _refused(f"its jti must be a text of 1 to {_LONGEST_ID} characters")
        try:
            first = self._seen.first(issuer.iss, token_id, int(said["exp"]) + LEEWAY_SECONDS + 1)
        except OSError as error:
            logger().error("token_not_recorded", error=type(error).__name__)
            raise problem("not_recorded", Retry_After=RETRY_AFTER) from None
        if not first:
            raise _refused("its jti was used before; make a new token for each call")


def _refused(fix: str) -> Problem:
    return problem("token_refused", detail=f"The token: {fix}.", WWW_Authenticate='Bearer error="invalid_token"')


def _fix(error: Exception) -> str:
    """The fix for what PyJWT found, by its type: its messages may repeat what was sent."""
    fixes: tuple[tuple[type[Exception], str], ...] = (
        (jwt.ExpiredSignatureError, "it has expired; make a new one for each call"),
        (jwt.ImmatureSignatureError, "its iat or nbf is in the future; set the clock"),
        (jwt.InvalidIssuedAtError, "its iat must be a number of seconds"),
        (jwt.InvalidAudienceError, "its aud must be the address that is called"),
        (jwt.MissingRequiredClaimError, f"it needs all of {', '.join(_REQUIRED)}"),
        (jwt.InvalidSignatureError, "its signature does not fit its issuer's key"),
    )
    return next((fix for kind, fix in fixes if isinstance(error, kind)), "it cannot be verified")
