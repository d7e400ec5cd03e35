"""The links at the top of every page, by role."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from service.access import Caller
from service.words.topics import topic

SECTIONS = (
    ("screen", "/screen", ("practitioner",)),
    ("pooled", "/pooled", ("practitioner",)),
    ("audit", "/audit", ("auditor",)),
    ("learn", "/learn", ()),
    ("model", "/model", ()),
)
"""Name, address, and the roles that may open it; none: anybody may."""


def navigation(sections: Collection[str], caller: Caller | None, path: str) -> list[dict[str, Any]]:
    """The links for whoever is signed in, in the shape of the design system's service navigation."""
    words = topic("pages").navigation
    role = caller.role if caller else None
    links = [
        {"text": words[name], "href": address, "active": path == address or path.startswith(f"{address}/")}
        for name, address, roles in SECTIONS
        if address in sections and (not roles or role in roles)
    ]
    if caller is None:
        links.append({"text": words.sign_in, "href": "/sign-in", "active": path == "/sign-in"})
    return links
