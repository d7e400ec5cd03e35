"""The rules that a feature of a dictionary must keep."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from model.dictionary import KINDS, LEVEL_LIMIT, NOT_APPLICABLE, NOT_KNOWN, Feature, Value
from model.dictionary_table import Table

_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_.-]*$")
_LEVEL_KINDS = ("ordinal", "category")
_DIRECTIONS = ("raises", "lowers", "free")
_KEYS = {
    "label": "text", "kind": "text", "direction": "text", "held_by": "list", "source": "text",
    "levels": "list", "unit": "text", "minimum": "number", "maximum": "number", "not_applicable": "flag",
    "essential": "flag", "missing": "list", "cin_factor": "text", "help": "text", "column": "text",
    "quasi_identifier": "flag", "accepted": "text",
}  # fmt: skip
_NEEDED = ("label", "kind")
FEATURE_KEYS = ("name", *_KEYS, "reference")


def read_feature(table: Table, agencies: Collection[str]) -> Feature | None:
    """The feature that a table describes, or None where broken rules were noted."""
    values = _values(table)
    # Rules of one key first: those of several keys would say again what is wrong with one of them.
    for agency in values.get("held_by", ()):
        if agency not in agencies:
            table.note("held_by", f"{agency!r} is not an agency of this dictionary; add [[agency]] id = {agency!r}")
    if (direction := values.get("direction", "free")) not in _DIRECTIONS:
        table.note("direction", f"{direction!r} is not one of {', '.join(_DIRECTIONS)}")
    kind: str = values["kind"]
    if isinstance(table.data.get("kind"), str) and kind not in KINDS:
        table.note("kind", f"{kind!r} is not one of {', '.join(KINDS)}")
    if table.sound:
        values["levels"] = _levels(table, kind, values["levels"])
    if table.sound:
        values["reference"] = _reference(table, values)
    if not table.sound:
        return None
    feature = Feature(**values)
    _check_feature(table, feature)
    return feature if table.sound else None


def _values(table: Table) -> dict[str, Any]:
    values: dict[str, Any] = {"name": read_name(table)}
    for key, kind in _KEYS.items():
        if kind == "list":
            values[key] = table.texts(key, [])
        elif key in table.data or key in _NEEDED:
            values[key] = table.get(key, kind)
    return values


def is_name(text: str) -> bool:
    """True where a feature or a monitored characteristic may be called so."""
    return _NAME.match(text) is not None


def read_name(table: Table) -> str:
    """A name that addresses, files and conditions can hold."""
    name: str = table.get("name", "text")
    if isinstance(table.data.get("name"), str) and not is_name(name):
        table.note(
            "name",
            f"{name!r} may hold letters, digits, _ . and -, beginning with a letter; put the file's own name in column",
        )
    return name


def _levels(table: Table, kind: str, levels: tuple[str, ...]) -> tuple[str, ...]:
    if kind in _LEVEL_KINDS:
        if not 2 <= len(levels) <= LEVEL_LIMIT:
            table.note("levels", f"{kind} needs 2 to {LEVEL_LIMIT} levels; group the rest as other")
        for reserved in {NOT_KNOWN, NOT_APPLICABLE} & set(levels):
            table.note("levels", f"{reserved} is not a level; it is always understood")
        return levels
    if levels:
        table.note("levels", f"{kind} has no levels of its own; remove the key")
    return ("no", "yes") if kind == "yes_no" else ()


def _reference(table: Table, values: Mapping[str, Any]) -> Value | None:
    lowest_risk = "yes" if values.get("direction") == "lowers" else "no"
    reference: Value | None = table.data.get("reference", lowest_risk if values["kind"] == "yes_no" else None)
    levels = values["levels"]
    if values["kind"] == "yes_no" and reference != lowest_risk:
        direction = values.get("direction", "free")
        table.note("reference", f"a yes_no that {direction} has {lowest_risk!r}; remove the key")
    elif reference is not None and levels and reference not in levels:
        table.note("reference", f"{reference!r} is not one of the levels {', '.join(levels)}")
    elif reference is not None and not levels and (isinstance(reference, (bool, str)) or reference != reference):
        table.note("reference", f"{reference!r} is not a number")
    return reference


def _check_feature(table: Table, feature: Feature) -> None:
    if feature.kind == "category" and feature.direction != "free":
        table.note("direction", "a category has no order, so its direction is free")
    if not feature.is_numeric and (feature.minimum is not None or feature.maximum is not None or feature.unit):
        table.note("minimum", "only a count or a number has minimum, maximum and unit; remove them")
    low, high = feature.minimum, feature.maximum
    if low is not None and high is not None and low >= high:
        table.note("minimum", "must be below maximum")
    elif feature.is_numeric and feature.reference is not None:
        number = float(feature.reference)
        if (low is not None and number < low) or (high is not None and number > high):
            table.note("reference", f"{feature.reference!r} lies outside minimum and maximum")
