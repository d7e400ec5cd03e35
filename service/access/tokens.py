"""OpenID Connect: who holds a token of the organisation's own identity provider, beside those who hold a key.

The issuer's address and keys come from its discovery document (OpenID Connect Discovery 1.0, section 4). A token is a
signed JWT (RFC 7519, RFC 9068); what it says of a person beyond role and agency is not kept: in the log its holder is a
keyed digest of issuer and subject, the same for every token of theirs.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import jwt

from service.access.fetching import fetched
from service.access.issuer_keys import UNREADABLE, IssuerKeys, KeySet, KeysUnavailable
from service.access.keys import ROLES, Caller
from service.errors import Problem, problem
from service.running.telemetry import logger

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by key pairs alone: with a shared secret, whoever can check a token could make one."""
REQUIRED = ("exp", "iat", "iss", "aud", "sub")
LEEWAY_SECONDS = 30
KEYS_LAST_SECONDS = 300.0
"""How long the issuer's keys are believed; one that it withdrew is refused after this time at the latest."""
LOOK_AGAIN_SECONDS = 10.0
"""The shortest time between two questions to the issuer: unknown keys in tokens must not make us its attacker."""
MOST_KEPT = 4096
"""Tokens that a worker remembers to be good, each until it expires or the issuer's keys are asked for again."""


@dataclass(frozen=True, slots=True)
class TokenPlan:
    """Whose tokens are accepted. `issuer` and `audience` as in the tokens; the claims that hold role and agency."""

    issuer: str
    audience: str
    role_claim: str
    agency_claim: str
    secret: bytes = field(repr=False)
    """Keys the digests by which token holders appear in the log."""


class Tokens:
    """Checks tokens of one issuer. Safe to share between threads."""

    def __init__(self, plan: TokenPlan) -> None:
        """Asks the issuer nothing yet."""
        self._plan = plan
        self._keys = IssuerKeys(plan.issuer, self._asked, KEYS_LAST_SECONDS, LOOK_AGAIN_SECONDS)
        self._kept: OrderedDict[bytes, tuple[Caller, float, int]] = OrderedDict()

    def caller(self, token: str) -> Caller:
        """The holder of a token. Raises `Problem`: 401, 403 without a role, 503 where the issuer cannot be asked."""
        digest = hashlib.sha256(token.encode()).digest()
        found = self._kept.get(digest)
        try:
            if found is not None:
                self._keys.follow()
            if found is None or time.time() >= found[1] or self._keys.renewals != found[2]:
                renewals = self._keys.renewals
                claims = self._claims(token)
                found = self._caller(claims), float(claims["exp"]) + LEEWAY_SECONDS, renewals
                self._keep(digest, found)
        except KeysUnavailable:
            raise problem("issuer_unavailable", Retry_After="10") from None
        return found[0]

    def known(self, token: str) -> Caller | None:
        """The holder of a token that was found good before and has not expired; None of any other. Asks nobody."""
        found = self._kept.get(hashlib.sha256(token.encode()).digest())
        return None if found is None or time.time() >= found[1] else found[0]

    def _keep(self, digest: bytes, found: tuple[Caller, float, int]) -> None:
        self._kept[digest] = found
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in ALGORITHMS:
                raise jwt.InvalidAlgorithmError  # before the issuer is asked for anything
            key = self._keys.key(header.get("kid"))
            if key is None:
                raise jwt.InvalidKeyError
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._plan.audience,
                issuer=self._plan.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": list(REQUIRED)},
            )
        except UNREADABLE as error:
            logger().warning("token_refused", reason=type(error).__name__)
            raise _refused() from None
        return claims

    def _asked(self) -> KeySet:
        """The issuer's keys, by its discovery document."""
        said = json.loads(fetched(f"{self._plan.issuer.rstrip('/')}/.well-known/openid-configuration"))
        if said["issuer"] != self._plan.issuer:
            raise ValueError("the discovery document is of another issuer")
        keys = jwt.PyJWKSet.from_dict(json.loads(fetched(str(said["jwks_uri"])))).keys
        return {str(key.key_id): key for key in keys if key.public_key_use in (None, "sig")}

    def _caller(self, claims: dict[str, Any]) -> Caller:
        role, agency = claims.get(self._plan.role_claim), claims.get(self._plan.agency_claim)
        if role not in ROLES or not (agency is None or isinstance(agency, str)):
            raise problem("no_role")
        holder = hmac.digest(self._plan.secret, f"{claims['iss']}\n{claims['sub']}".encode(), "sha256").hex()[:16]
        return Caller(f"oidc-{holder}", role, agency)


def _refused() -> Problem:
    return problem("token_refused", WWW_Authenticate='Bearer error="invalid_token"')
