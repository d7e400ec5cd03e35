"""Figures with intervals as text and as marks; what is withheld is said and never drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from model.account.page import Mark

Figured = Mapping[str, float | None] | None
WITHHELD = "withheld"
PER_CENT = 100.0
FEW = 10
"""The disclosure threshold of models that do not say theirs."""


def disclosure_threshold(facts: Mapping[str, Any]) -> int:
    """Fewest cases on which what a model shows may rest, as its facts say."""
    return int(facts.get("training", {}).get("disclosure_threshold", FEW))


def why_withheld(threshold: int) -> str:
    """What *withheld* means, once for a whole page."""
    return (
        f"A count or rate is withheld where it tells of fewer than {threshold} cases, of all but fewer than "
        f"{threshold}, or of none or all; and where such a count could be worked out from it and other figures that "
        "are shown. A figure that was not defined is withheld too. Net benefit and the shares of answers not known in "
        f"a group are rounded to steps worth {threshold} cases or answers."
    )


def percent(figure: Figured, digits: int = 1) -> str:
    """`4.9 % (4.4 to 5.5)`, or *withheld*."""
    return _said(figure, PER_CENT, digits, " %")


def number(figure: Figured, digits: int = 3) -> str:
    """`0.812 (0.790 to 0.835)`, or *withheld*."""
    return _said(figure, 1.0, digits, "")


def mark(label: str, figure: Figured, said: str) -> Mark:
    """A mark in the figure's own unit."""
    value, low, high = (figure.get(key) for key in ("value", "low", "high")) if figure else (None, None, None)
    return Mark(label, value, low, high, said)


def counted(count: int | None) -> str:
    """A count, or *withheld*."""
    return WITHHELD if count is None else f"{count:,}"


def words(name: str) -> str:
    """A code as it is read."""
    text = name.replace("_", " ")
    return {"auc": "AUC"}.get(text, text[:1].upper() + text[1:])


def listed(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, (", ".join(items[:-1]), items[-1]))) if items else "none"


def _said(figure: Figured, times: float, digits: int, unit: str) -> str:
    value, low, high = (figure.get(key) for key in ("value", "low", "high")) if figure else (None, None, None)
    if value is None:
        return WITHHELD
    said = f"{value * times:.{digits}f}{unit}"
    return said if low is None or high is None else f"{said} ({low * times:.{digits}f} to {high * times:.{digits}f})"
