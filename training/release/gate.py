"""One line of the gate table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gate:
    """What was looked at, what was found, what is allowed; `overridden` where a person lifted it on record."""

    name: str
    figure: str
    limit: str
    passed: bool
    overridden: bool = False
