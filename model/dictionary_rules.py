"""Reads a dictionary out of plain data and checks every rule that it must keep.

All errors of a dictionary are said at once, one line each: file, key, what is wrong, and the fix.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from model.condition import NOT_APPLICABLE, ConditionError, Operand, operands, read_condition
from model.dictionary import (
    FORMAT,
    Agency,
    Dictionary,
    DictionaryError,
    Excluded,
    Feature,
    Ground,
    Monitored,
    Outcome,
    Policy,
)
from model.dictionary_feature import FEATURE_KEYS, read_feature, read_name
from model.dictionary_table import Table

_TOP_KEYS = {
    "format", "name", "version", "outcome", "group", "time", "agency", "feature", "monitored", "excluded", "ground",
    "policy",
}  # fmt: skip
_GROUND_TEXTS = ("code", "label", "text", "source")
_IDENTITIES = (("feature", "name"), ("agency", "id"), ("ground", "code"), ("monitored", "name"))
_NO_OUTCOME = Outcome("", "", ())


def read_dictionary(raw: Mapping[str, Any], where: str) -> Dictionary:
    """Builds a `Dictionary` from TOML or JSON data. Raises `DictionaryError` with all that is wrong.

    `where` names the file in errors.
    """
    if not isinstance(raw, Mapping):
        raise DictionaryError(f"{where}: expected a table")
    errors: list[str] = []
    top = Table(raw, where, errors)
    if top.get("format", "whole number") != FORMAT and top.sound:
        # Another format has other rules: to hold it to these would say nothing true.
        raise DictionaryError(
            f"{where}: format: this version of Grounds reads format {FORMAT}; found {raw['format']!r}"
        )
    top.only(_TOP_KEYS)
    agencies = top.each("agency", ("id", "label"), lambda t: Agency(t.get("id", "text"), t.get("label", "text")))
    ids = frozenset(agency.id for agency in agencies)
    features = top.each("feature", FEATURE_KEYS, lambda t: read_feature(t, ids))
    by_name = {feature.name: feature for feature in features}
    dictionary = Dictionary(
        name=top.get("name", "text"),
        version=top.get("version", "text"),
        outcome=_outcome(top),
        group=_column(top, "group"),
        time=_column(top, "time"),
        agencies=agencies,
        features=features,
        monitored=top.each("monitored", ("name", "label", "levels", "quasi_identifier"), _monitored),
        excluded=top.each(
            "excluded", ("name", "reason"), lambda t: Excluded(t.get("name", "text"), t.get("reason", "text"))
        ),
        grounds=top.each(
            "ground", (*_GROUND_TEXTS, "when", "action"), lambda t: _ground(t, by_name, _named(raw, "feature", "name"))
        ),
        policy=_policy(top),
        raw=raw,
    )
    errors += _errors_of_the_whole(dictionary, where)
    if errors:
        raise DictionaryError(*errors)
    return dictionary


def _named(raw: Mapping[str, Any], key: str, name: str) -> list[str]:
    """The names that the tables of a list give themselves, also those that cannot be read."""
    tables = raw.get(key, [])
    found = [table.get(name) for table in tables if isinstance(table, Mapping)] if isinstance(tables, list) else []
    return [each for each in found if isinstance(each, str)]


def _monitored(table: Table) -> Monitored:
    return Monitored(
        read_name(table),
        table.get("label", "text"),
        table.texts("levels"),
        table.get("quasi_identifier", "flag", False),
    )


def _outcome(top: Table) -> Outcome:
    table = top.inner("outcome")
    if table is None:
        return _NO_OUTCOME
    table.only(("column", "meaning", "positive"))
    positive = table.get("positive", "list")
    if not positive and table.sound:
        table.note("positive", 'name at least one value that means the outcome happened, for instance ["1"]')
    return Outcome(table.get("column", "text"), table.get("meaning", "text"), tuple(map(str, positive)))


def _column(top: Table, key: str) -> str | None:
    table = top.inner(key, None) if key in top.data else None
    column: str | None = table.get("column", "text") if table else None
    return column


def _policy(top: Table) -> Policy:
    default = Policy()
    table = top.inner("policy", {})
    if table is None:
        return default
    table.only(("capacity", "answers", "ground_answers", "minimum_known"))
    policy = Policy(
        float(table.get("capacity", "number", default.capacity)),
        table.get("answers", "whole number", default.answers),
        table.get("ground_answers", "whole number", default.ground_answers),
        table.get("minimum_known", "whole number", default.minimum_known),
    )
    if not 0 < policy.capacity < 1:
        table.note("capacity", "is a share of cases, between 0 and 1, for instance 0.05")
    for key in ("answers", "ground_answers", "minimum_known"):
        if getattr(policy, key) < 0:
            table.note(key, "is a count and cannot be negative; put 0 or more")
    return policy


def _ground(table: Table, features: Mapping[str, Feature], named: Collection[str]) -> Ground | None:
    code, label, text, source = (table.get(key, "text") for key in _GROUND_TEXTS)
    action: str = table.get("action", "text", "discuss")
    if action not in ("call", "discuss"):
        table.note("action", f"{action!r} is not call or discuss")
    try:
        condition = read_condition(table.data.get("when"))
    except ConditionError as error:
        table.note("when", str(error))
        return None
    for operand in operands(condition):
        if operand.feature in features or operand.feature not in named:  # a feature in error is mended first
            _check_operand(table, operand, features)
    return Ground(code, label, condition, text, action, source)


def _check_operand(table: Table, operand: Operand, features: Mapping[str, Feature]) -> None:
    feature = features.get(operand.feature)
    if feature is None:
        table.note("when", f"{operand.text()!r}: there is no feature {operand.feature!r}")
        return
    if operand.value == NOT_APPLICABLE and not feature.not_applicable:
        table.note("when", f"{operand.text()!r}: {feature.name} cannot be not applicable")
    if operand.comparison == "=" and operand.value not in feature.levels:
        hint = "compare a number with >= or <=" if feature.is_numeric else f"levels are {', '.join(feature.levels)}"
        table.note("when", f"{operand.text()!r}: {hint}")
    if operand.comparison not in ("=", "is") and not feature.is_numeric:
        table.note("when", f"{operand.text()!r}: {feature.name} has levels; use = and a level")


def _errors_of_the_whole(dictionary: Dictionary, where: str) -> list[str]:
    """What no single table shows. Names count also where the rest of their table is in error."""
    raw = dictionary.raw
    errors = []
    names = {key: _named(raw, key, name) for key, name in _IDENTITIES}
    if raw.get("feature", []) == []:
        errors.append(f"{where}: feature: none defined; add at least one [[feature]]")
    for key, given in names.items():
        twice = [name for name in dict.fromkeys(given) if given.count(name) > 1]
        errors += [f"{where}: {key} {name}: stands twice; names must differ" for name in twice]
    reserved = {dictionary.outcome.column, dictionary.group, dictionary.time}
    reserved |= {*names["monitored"], *(excluded.name for excluded in dictionary.excluded)}
    return errors + [
        f"{where}: feature {name}: is also the outcome, group, time, monitored or excluded; it cannot be scored"
        for name in sorted(set(names["feature"]) & reserved)
    ]
