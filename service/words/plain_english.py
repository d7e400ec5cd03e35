"""What no word of Grounds may say to a reader, as patterns: a cause, a certainty, blame, or that a child is safe."""

from __future__ import annotations

import re

BANNED = re.compile(
    r"\b(because|caused? by|due to|certain(ly)?|definite(ly)?|proves? that the|guarantee\w*|blame|fault|fail(ed|ure)|"
    r"should have|neglectful|suspect(ed|s)?|is safe|are safe|not at risk|no risk|high[- ]risk|low[- ]risk)\b",
    re.IGNORECASE,
)
ALLOWED = ("says that a child is safe", "say that a child is safe", "finding that the child is safe")
"""Denials that hold a banned phrase."""


def banned_phrase(text: str) -> str | None:
    """The first phrase of a text that no reader may be shown; None where there is none."""
    for phrase in ALLOWED:
        text = text.replace(phrase, "")
    found = BANNED.search(text)
    return found[0] if found else None
