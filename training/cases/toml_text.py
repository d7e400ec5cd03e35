"""Texts as a TOML file holds them."""

from __future__ import annotations

import json
from collections.abc import Iterable


def toml_text(text: str) -> str:
    """A TOML string. JSON's escapes are TOML's too, but for DEL, which TOML forbids and JSON does not escape."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_texts(texts: Iterable[str]) -> str:
    """A TOML list of strings."""
    return f"[{', '.join(map(toml_text, texts))}]"
