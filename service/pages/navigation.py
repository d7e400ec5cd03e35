"""The links at the top of every page, by role."""

from __future__ import annotations

from collections.abc import Collection

from markupsafe import Markup

from service.access.keys import Caller
from service.pages.environment import MadeOnce
from service.words.topics import topic

SECTIONS = (
    ("screen", "/screen", ("practitioner",)),
    ("pooled", "/pooled", ("practitioner",)),
    ("audit", "/audit", ("auditor",)),
    ("learn", "/learn", ()),
    ("model", "/model", ()),
)
"""Name, address, and the roles that may open it; none: anybody may."""
SIGN_IN = "/sign-in"


class Navigation:
    """The navigation of a service with some of the sections, rendered once for each role and section."""

    def __init__(self, made_once: MadeOnce, sections: Collection[str]) -> None:
        self._made_once = made_once
        self._sections = [section for section in SECTIONS if section[1] in sections]

    def __call__(self, caller: Caller | None, path: str) -> Markup:
        """The links for whoever is signed in, the section of `path` marked."""
        role = caller.role if caller else None
        addresses = (*(address for _, address, _ in self._sections), SIGN_IN)
        here = next((one for one in addresses if path == one or path.startswith(f"{one}/")), "")
        return self._made_once("parts/navigation.html", f"{role} {here}", links=self._links(role, here))

    def _links(self, role: str | None, here: str) -> list[dict[str, object]]:
        words = topic("pages").navigation
        links: list[dict[str, object]] = [
            {"text": words[name], "href": address, "active": address == here}
            for name, address, roles in self._sections
            if not roles or role in roles
        ]
        if role is None:
            links.append({"text": words.sign_in, "href": SIGN_IN, "active": here == SIGN_IN})
        return links
