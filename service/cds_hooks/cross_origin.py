"""CORS (Fetch standard): a browser may call from the origins that the settings name, and from no other."""

from __future__ import annotations

from flask import Response

ALLOWED = {
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}
EXPOSED = "Retry-After"


def allow(response: Response, origin: str | None, origins: frozenset[str]) -> Response:
    """Adds what the browser needs to hear. Never `*` and never credentials: a token is in a header, not in a cookie."""
    response.vary.add("Origin")
    if origin is not None and origin in origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        response.headers.update(ALLOWED)
    return response
