"""The short way in for requests that are plainly right, derived from the schema of record.

marshmallow (`service.screening.schemas`) decides what a request may hold and words every refusal; walking its fields
costs more than score and explanation together. `Acceptor` takes at once what that schema would take, with the same
result, and knows nothing of errors: whatever it does not take goes to the schema. A property test holds the two
together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from marshmallow import Schema, fields, validate

from model.case import LARGEST, bounds
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Feature
from service.screening.schemas import CaseReference, Features

_INFINITE = float("inf")


class UnderivableSchema(TypeError):
    """A schema that holds more than this module knows: it must be taught, or the schema used alone."""


class _Numbers(NamedTuple):
    kinds: tuple[type, ...]
    low: float
    high: float


class Acceptor:
    """Accepts the requests that a `ScreeningRequest` schema accepts, or says nothing."""

    def __init__(self, schema: Schema) -> None:
        """Raises `UnderivableSchema` for a schema whose fields are not those of `schemas.request_schema`."""
        found = schema.fields
        # A pooled request (`observations`) is rare and large: it always goes to the schema.
        if set(found) != {"case_ref", "agency", "features", "observations", "monitoring"}:
            raise UnderivableSchema("the request has other fields than this decoder was derived for")
        reference, features, monitoring = found["case_ref"], found["features"], found["monitoring"]
        if not (
            isinstance(reference, CaseReference)
            and isinstance(features, Features)
            and isinstance(monitoring, fields.Nested)
        ):
            raise UnderivableSchema("a field of the request has another type than this decoder was derived for")
        self._reference = reference
        self._agencies = _choices(found["agency"])
        self._texts = frozenset(
            (feature.name, text) for feature in features.dictionary.features for text in _texts(feature)
        )
        """Every feature with every text that it may have: most of a case is told to be right by one difference."""
        self._features = {feature.name: _numbers(feature) for feature in features.dictionary.features}
        self._monitored = {name: _choices(field) for name, field in monitoring.schema.fields.items()}

    def accept(self, asked: Mapping[str, Any]) -> dict[str, Any] | None:
        """What the schema would load from a request, or None where the schema is to be asked."""
        if asked.keys() != {"case_ref", "agency", "features"} and not self._monitoring_accepted(asked):
            return None
        if not _is_one_of(asked["agency"], self._agencies) or not self._features_accepted(asked["features"]):
            return None
        if not self._reference.accepts(asked["case_ref"]):
            return None
        return dict(asked)

    def _monitoring_accepted(self, asked: Mapping[str, Any]) -> bool:
        if asked.keys() != {"case_ref", "agency", "features", "monitoring"}:
            return False
        monitoring = asked["monitoring"]
        return isinstance(monitoring, dict) and all(
            _is_one_of(value, self._monitored.get(name, frozenset())) for name, value in monitoring.items()
        )

    def _features_accepted(self, features: object) -> bool:
        if not isinstance(features, dict):
            return False
        try:
            others = features.items() - self._texts
        except TypeError:
            return False  # an object or a list, which is no answer
        for name, value in others:
            may_be = self._features.get(name)
            if may_be is None:
                return False
            kind = value.__class__
            if value is not None and (kind not in may_be.kinds or not may_be.low <= value <= may_be.high):
                return False
            if kind is float and value.is_integer():
                return False  # the schema takes 38.0 as 38
        return True


def _texts(feature: Feature) -> tuple[str, ...]:
    return (*feature.levels, NOT_KNOWN, *([NOT_APPLICABLE] if feature.not_applicable else []))


def _numbers(feature: Feature) -> _Numbers:
    if not feature.is_numeric:
        return _Numbers((), 0.0, 0.0)
    low, high = bounds(feature)
    return _Numbers(
        (int,) if feature.kind == "count" else (int, float),
        max(-LARGEST, -_INFINITE if low is None else low),
        min(LARGEST, _INFINITE if high is None else high),
    )


def _choices(field: object) -> frozenset[str]:
    if not isinstance(field, fields.String) or len(field.validators) != 1:
        raise UnderivableSchema("a text of the request is checked by more than its choices")
    (rule,) = field.validators
    if not isinstance(rule, validate.OneOf):
        raise UnderivableSchema("a text of the request is checked by more than its choices")
    return frozenset(rule.choices)


def _is_one_of(value: object, choices: frozenset[str]) -> bool:
    return isinstance(value, str) and value in choices
