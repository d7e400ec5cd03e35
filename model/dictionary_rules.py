"""Reads a dictionary out of plain data and checks every rule that it must keep.

Each error is one line: file, key, what is wrong, and the fix.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from model.condition import NOT_APPLICABLE, NOT_KNOWN, ConditionError, Operand, operands, read_condition
from model.dictionary import (
    FORMAT,
    KINDS,
    LEVEL_LIMIT,
    Agency,
    Dictionary,
    DictionaryError,
    Excluded,
    Feature,
    Ground,
    Monitored,
    Outcome,
    Policy,
    Value,
)

_NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_.-]*$")
_LEVEL_KINDS = ("ordinal", "category")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "text": str, "number": (int, float), "flag": bool, "list": list, "table": dict, "whole number": int,
}  # fmt: skip
_FEATURE_KEYS = {
    "name": "text", "label": "text", "kind": "text", "direction": "text", "held_by": "list", "source": "text",
    "levels": "list", "unit": "text", "minimum": "number", "maximum": "number", "not_applicable": "flag",
    "essential": "flag", "missing": "list", "cin_factor": "text", "help": "text", "column": "text",
    "quasi_identifier": "flag", "accepted": "text",
}  # fmt: skip
_TOP_KEYS = {
    "format", "name", "version", "outcome", "group", "time", "agency", "feature", "monitored", "excluded", "ground",
    "policy",
}  # fmt: skip


class _Table:
    """A TOML table that knows where it stands, so that an error can say so."""

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, Mapping):
            raise DictionaryError(f"{where}: expected a table")
        self.data, self.where = data, where

    def fail(self, key: str, problem: str) -> DictionaryError:
        return DictionaryError(f"{self.where}: {key}: {problem}")

    def get(self, key: str, kind: str, default: Any = ...) -> Any:
        value = self.data.get(key, default)
        if value is ...:
            raise self.fail(key, f"is missing; add {key} = ({kind})")
        if key in self.data and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "flag")):
            raise self.fail(key, f"expected a {kind}, found {value!r}")
        return value

    def only(self, allowed: Iterable[str]) -> None:
        for key in self.data:
            if key not in allowed:
                raise self.fail(key, f"unknown key; allowed are {', '.join(sorted(allowed))}")


def read_dictionary(raw: Mapping[str, Any], where: str) -> Dictionary:
    """Builds a `Dictionary` from TOML or JSON data. Raises `DictionaryError`.

    `where` names the file in errors.
    """
    top = _Table(raw, where)
    top.only(_TOP_KEYS)
    if top.get("format", "whole number") != FORMAT:
        raise top.fail("format", f"this version of Grounds reads format {FORMAT}; found {raw['format']!r}")
    agencies = tuple(
        Agency(t.get("id", "text"), t.get("label", "text")) for t in _tables(top, "agency", ("id", "label"))
    )
    known_agencies = {agency.id for agency in agencies}
    features = tuple(_feature(t, known_agencies) for t in _tables(top, "feature", (*_FEATURE_KEYS, "reference")))
    dictionary = Dictionary(
        name=top.get("name", "text"),
        version=top.get("version", "text"),
        outcome=_outcome(top),
        group=_column(top, "group"),
        time=_column(top, "time"),
        agencies=agencies,
        features=features,
        monitored=tuple(
            Monitored(_name(t), t.get("label", "text"), _texts(t, "levels"), t.get("quasi_identifier", "flag", False))
            for t in _tables(top, "monitored", ("name", "label", "levels", "quasi_identifier"))
        ),
        excluded=tuple(
            Excluded(t.get("name", "text"), t.get("reason", "text"))
            for t in _tables(top, "excluded", ("name", "reason"))
        ),
        grounds=tuple(
            _ground(t, features) for t in _tables(top, "ground", ("code", "label", "when", "text", "action", "source"))
        ),
        policy=_policy(top),
        raw=raw,
    )
    _check_whole(dictionary, where)
    return dictionary


def _tables(top: _Table, key: str, allowed: Iterable[str]) -> list[_Table]:
    tables = []
    for number, data in enumerate(top.get(key, "list", []), 1):
        identity = data.get("name") or data.get("code") or data.get("id") if isinstance(data, Mapping) else None
        table = _Table(data, f"{top.where}: {key} {identity or number}")
        table.only(allowed)
        tables.append(table)
    return tables


def _texts(table: _Table, key: str, default: Any = ...) -> tuple[str, ...]:
    values = table.get(key, "list", default)
    if any(not isinstance(value, str) or not value for value in values):
        raise table.fail(key, 'expected a list of texts, for instance ["low", "high"]')
    if len(set(values)) != len(values):
        raise table.fail(key, "names a value twice; remove one")
    return tuple(values)


def _name(table: _Table) -> str:
    name: str = table.get("name", "text")
    if not _NAME.match(name):
        raise table.fail(
            "name",
            f"{name!r} may hold letters, digits, _ . and -, beginning with a letter; put the file's own name in column",
        )
    return name


def _outcome(top: _Table) -> Outcome:
    table = _Table(top.get("outcome", "table"), f"{top.where}: outcome")
    table.only(("column", "meaning", "positive"))
    positive = tuple(str(value) for value in table.get("positive", "list"))
    if not positive:
        raise table.fail("positive", 'name at least one value that means the outcome happened, for instance ["1"]')
    return Outcome(table.get("column", "text"), table.get("meaning", "text"), positive)


def _column(top: _Table, key: str) -> str | None:
    if key not in top.data:
        return None
    column: str = _Table(top.data[key], f"{top.where}: {key}").get("column", "text")
    return column


def _policy(top: _Table) -> Policy:
    table = _Table(top.get("policy", "table", {}), f"{top.where}: policy")
    table.only(("capacity", "answers", "ground_answers", "minimum_known"))
    default = Policy()
    policy = Policy(
        float(table.get("capacity", "number", default.capacity)),
        table.get("answers", "whole number", default.answers),
        table.get("ground_answers", "whole number", default.ground_answers),
        table.get("minimum_known", "whole number", default.minimum_known),
    )
    if not 0 < policy.capacity < 1:
        raise table.fail("capacity", "is a share of cases, between 0 and 1, for instance 0.05")
    if min(policy.answers, policy.ground_answers, policy.minimum_known) < 0:
        raise table.fail("answers", "counts cannot be negative")
    return policy


def _feature(table: _Table, agencies: set[str]) -> Feature:
    values = {key: table.get(key, kind) for key, kind in _FEATURE_KEYS.items() if key in table.data}
    for key in ("name", "label", "kind"):
        table.get(key, "text")
    for key in ("held_by", "missing", "levels"):
        values[key] = _texts(table, key, [])
    if values["kind"] not in KINDS:
        raise table.fail("kind", f"{values['kind']!r} is not one of {', '.join(KINDS)}")
    values["levels"] = _levels(table, values["kind"], values["levels"])
    feature = Feature(**{**values, "name": _name(table), "reference": _reference(table, values)})
    _check_feature(table, feature, agencies)
    return feature


def _levels(table: _Table, kind: str, levels: tuple[str, ...]) -> tuple[str, ...]:
    if kind in _LEVEL_KINDS:
        if not 2 <= len(levels) <= LEVEL_LIMIT:
            raise table.fail("levels", f"{kind} needs 2 to {LEVEL_LIMIT} levels; group the rest as other")
        if reserved := {NOT_KNOWN, NOT_APPLICABLE} & set(levels):
            raise table.fail("levels", f"{reserved.pop()} is not a level; it is always understood")
        return levels
    if levels:
        raise table.fail("levels", f"{kind} has no levels of its own; remove the key")
    return ("no", "yes") if kind == "yes_no" else ()


def _reference(table: _Table, values: Mapping[str, Any]) -> Value | None:
    lowest_risk = "yes" if values.get("direction") == "lowers" else "no"
    reference: Value | None = table.data.get("reference", lowest_risk if values["kind"] == "yes_no" else None)
    if values["kind"] == "yes_no" and reference != lowest_risk:
        raise table.fail(
            "reference", f"a yes_no that {values.get('direction', 'free')} has {lowest_risk!r}; remove the key"
        )
    levels = values["levels"]
    if reference is not None and levels and reference not in levels:
        raise table.fail("reference", f"{reference!r} is not one of the levels {', '.join(levels)}")
    if reference is not None and not levels and (isinstance(reference, (bool, str)) or reference != reference):
        raise table.fail("reference", f"{reference!r} is not a number")
    return reference


def _check_feature(table: _Table, feature: Feature, agencies: set[str]) -> None:
    if feature.direction not in ("raises", "lowers", "free"):
        raise table.fail("direction", f"{feature.direction!r} is not one of raises, lowers, free")
    if feature.kind == "category" and feature.direction != "free":
        raise table.fail("direction", "a category has no order, so its direction is free")
    for agency in feature.held_by:
        if agency not in agencies:
            raise table.fail(
                "held_by", f"{agency!r} is not an agency of this dictionary; add [[agency]] id = {agency!r}"
            )
    if not feature.is_numeric and (feature.minimum is not None or feature.maximum is not None or feature.unit):
        raise table.fail("minimum", "only a count or a number has minimum, maximum and unit; remove them")
    low, high = feature.minimum, feature.maximum
    if low is not None and high is not None and low >= high:
        raise table.fail("minimum", "must be below maximum")
    reference = feature.reference
    if feature.is_numeric and reference is not None:
        number = float(reference)
        if (low is not None and number < low) or (high is not None and number > high):
            raise table.fail("reference", f"{reference!r} lies outside minimum and maximum")


def _ground(table: _Table, features: tuple[Feature, ...]) -> Ground:
    try:
        condition = read_condition(table.data.get("when"))
    except ConditionError as error:
        raise table.fail("when", str(error)) from None
    by_name = {feature.name: feature for feature in features}
    for operand in operands(condition):
        _check_operand(table, operand, by_name)
    action: str = table.get("action", "text", "discuss")
    if action not in ("call", "discuss"):
        raise table.fail("action", f"{action!r} is not call or discuss")
    texts = [table.get(key, "text") for key in ("code", "label", "text", "source")]
    return Ground(texts[0], texts[1], condition, texts[2], action, texts[3])


def _check_operand(table: _Table, operand: Operand, features: Mapping[str, Feature]) -> None:
    feature = features.get(operand.feature)
    if feature is None:
        raise table.fail("when", f"{operand.text()!r}: there is no feature {operand.feature!r}")
    if operand.value == NOT_APPLICABLE and not feature.not_applicable:
        raise table.fail("when", f"{operand.text()!r}: {feature.name} cannot be not applicable")
    if operand.comparison == "=" and operand.value not in feature.levels:
        hint = "compare a number with >= or <=" if feature.is_numeric else f"levels are {', '.join(feature.levels)}"
        raise table.fail("when", f"{operand.text()!r}: {hint}")
    if operand.comparison not in ("=", "is") and not feature.is_numeric:
        raise table.fail("when", f"{operand.text()!r}: {feature.name} has levels; use = and a level")


def _check_whole(dictionary: Dictionary, where: str) -> None:
    if not dictionary.features:
        raise DictionaryError(f"{where}: feature: none defined; add at least one [[feature]]")
    for key, names in (
        ("feature", [feature.name for feature in dictionary.features]),
        ("agency", [agency.id for agency in dictionary.agencies]),
        ("ground", [ground.code for ground in dictionary.grounds]),
        ("monitored", [monitored.name for monitored in dictionary.monitored]),
    ):
        for name in names:
            if names.count(name) > 1:
                raise DictionaryError(f"{where}: {key} {name}: stands twice; names must differ")
    scored = {feature.name for feature in dictionary.features}
    reserved = {dictionary.outcome.column, dictionary.group, dictionary.time}
    reserved |= {monitored.name for monitored in dictionary.monitored}
    reserved |= {excluded.name for excluded in dictionary.excluded}
    if clash := sorted(name for name in scored if name in reserved):
        raise DictionaryError(
            f"{where}: feature {clash[0]}: is also the outcome, group, time, monitored or excluded; it cannot be scored"
        )
