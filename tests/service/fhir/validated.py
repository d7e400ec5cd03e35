"""A resource read strictly by two libraries: `fhirclient`, which has R4 (4.0.1), and `fhir.resources`, which has R4B.

The first knows every element of R4, its type and whether it must be there; the second also the form of dates and codes.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def valid(resource: dict[str, Any], kind: str) -> Any:
    """The resource of that kind as `fhir.resources` reads it. Raises either library's error for what is no FHIR."""
    r4 = getattr(import_module(f"fhirclient.models.{kind.lower()}"), kind)
    r4(resource, strict=True)
    return getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind).model_validate(resource)
