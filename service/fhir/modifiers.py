"""Elements that change what the rest means: a resource that has any is refused, since nothing here can read them.

FHIR R4, "Modifier Extensions" and `Resource.implicitRules`: whoever does not understand them must not process the
element. `modifierExtension` may turn a yes into a denied yes; a screening that read past it would state the opposite.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from service.errors import FieldError

MODIFIER = "modifierExtension"
RULES = "implicitRules"
_FIX = "changes what the rest means, and cannot be read here; send the answers without it"


def modifiers(resource: Mapping[str, Any]) -> Iterator[FieldError]:
    """Each element of those kinds, in the resource, its subject and its items."""
    if RULES in resource or f"_{RULES}" in resource:
        yield FieldError(RULES, _FIX)
    if MODIFIER in resource:
        yield FieldError(MODIFIER, _FIX)
    for part in ("subject", "item"):
        if _is_in(resource.get(part)):
            yield FieldError(f"{part}.{MODIFIER}", _FIX)


def _is_in(value: object) -> bool:
    waiting = [value]
    while waiting:  # not by recursion: how deep a body goes is its sender's choice
        found = waiting.pop()
        if isinstance(found, dict):
            if MODIFIER in found:
                return True
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
    return False
