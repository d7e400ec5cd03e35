"""The shapes of requests and answers (marshmallow), built from the model's dictionary.

Requests are checked by these schemas. Answers are not passed through them: an answer is the bytes that were logged, so
the answer schemas document it, and a test holds every answer to them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from model.case import ValueRefused, admit, allowed, bounds
from model.dictionary import NOT_APPLICABLE, NOT_KNOWN, Dictionary, Feature
from model.identifiers import identifier_kind, looks_like_a_name

_REFERENCE = re.compile(r"^(?=[^0-9]*[0-9])[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")
REFERENCE_FORMAT = "grounds-case-ref"
"""In the contract: a text of the pattern that looks like no identifier of a person, which no pattern can say."""
CODE_FORMAT = "grounds-code"
"""In the contract: as a reference, of a code that the dictionary does not list."""
REFERENCE_FIX = (
    "send your own pseudonymous reference: 1 to 64 letters, digits, dots, dashes, colons or underscores, with at least "
    "one digit; never a name, an NHS number, a date, a postcode or a phone number"
)
UNKNOWN_FEATURE = "is not in the data dictionary; remove it (GET /v1/dictionary lists the features)"


_REFERENCE_SCHEMA = {
    "description": REFERENCE_FIX,
    "example": "case-0001",
    "pattern": _REFERENCE.pattern,
    "format": REFERENCE_FORMAT,
}


def reference_schema() -> dict[str, Any]:
    """A case reference as JSON Schema."""
    return {"type": "string", **_REFERENCE_SCHEMA}


class CaseReference(fields.String):
    """A reference that means something to the sender alone."""

    def accepts(self, value: object) -> bool:
        """Whether the value would be taken."""
        return isinstance(value, str) and bool(_REFERENCE.fullmatch(value)) and _looks_like(value) is None

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not _REFERENCE.fullmatch(value):
            raise ValidationError(REFERENCE_FIX)
        if kind := _looks_like(value):
            raise ValidationError(f"looks like {kind}; {REFERENCE_FIX}")
        return value


def _looks_like(reference: str) -> str | None:
    return identifier_kind(reference) or ("a name" if looks_like_a_name(reference) else None)


UNSEEN = "not_known:unseen_level"
"""Stands in a validated request for a category's value that the dictionary does not list. The value is dropped."""
_LEVEL_LIKE = re.compile(r"^[A-Za-z0-9_.:/+-]{1,40}$")


def _is_text(value: str) -> bool:
    return not _LEVEL_LIKE.fullmatch(value) or identifier_kind(value) is not None


def _is_unseen(feature: Feature, given: object) -> bool:
    # Not even the level "other" takes it: a code that the dictionary does not list may well mean "not known".
    listed = (*feature.levels, NOT_KNOWN, NOT_APPLICABLE)
    return feature.kind == "category" and isinstance(given, str) and given not in listed


class Features(fields.Field[dict[str, Any]]):
    """All features of a case, each checked against the dictionary; every error is collected, none repeats a value."""

    def __init__(self, dictionary: Dictionary, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dictionary = dictionary
        self._features: Mapping[str, Feature] = {feature.name: feature for feature in dictionary.features}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError('send an object, for instance {"feature": "yes"}')
        admitted: dict[str, Any] = {}
        errors: dict[str, list[str]] = {}
        features = self._features
        for name, given in value.items():
            feature = features.get(name)
            if feature is None:
                errors[name] = [UNKNOWN_FEATURE]
                continue
            if isinstance(given, float) and given.is_integer() and feature.kind == "count":
                given = int(given)  # 47.0 and 47 are one number in JSON
            try:
                # Looked at before it is admitted: a category with the level "other" would take any text as that.
                if isinstance(given, str) and given not in feature.levels and _is_text(given):
                    raise ValueRefused(f"takes no free text; {allowed(feature)}")
                admitted[name] = UNSEEN if _is_unseen(feature, given) else admit(feature, given)
            except ValueRefused as refused:
                errors[name] = [str(refused)]
        if errors:
            raise ValidationError(errors)
        return admitted

    def names(self) -> Collection[str]:
        """The names of all features."""
        return self._features.keys()

    def json_schema(self) -> dict[str, Any]:
        """The features as JSON Schema, for OpenAPI."""
        properties = {feature.name: feature_schema(feature) for feature in self.dictionary.features}
        return {"type": "object", "properties": properties, "additionalProperties": False}


def unlisted_schema() -> dict[str, Any]:
    """A code that a category does not list, as JSON Schema."""
    counts = "Counts as not known, and is named in not_recognised."
    return {"type": "string", "pattern": _LEVEL_LIKE.pattern, "format": CODE_FORMAT, "description": counts}


def feature_schema(feature: Feature) -> dict[str, Any]:
    """One feature as JSON Schema (2020-12)."""
    states = [NOT_KNOWN, *([NOT_APPLICABLE] if feature.not_applicable else [])]
    described = {"title": feature.label, "description": feature.help or feature.label}
    if feature.kind == "category":
        listed = {"enum": [*feature.levels, *states, None]}
        return {**described, "anyOf": [listed, unlisted_schema()]}
    if not feature.is_numeric:
        return {**described, "enum": [*feature.levels, *states, None]}
    number: dict[str, Any] = {"type": "integer" if feature.kind == "count" else "number"}
    low, high = bounds(feature)
    if low is not None:
        number["minimum"] = low
    if high is not None:
        number["maximum"] = high
    return {**described, "anyOf": [number, {"enum": [*states, None]}]}


class _OneForm(Schema):
    """A request is of one agency, or of several that are pooled: never both, never neither."""

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def _one_form(self, _data: Any, original: Any, **_: Any) -> None:
        sent = [name for name in ("agency", "features") if name in original]
        observations = original.get("observations")
        if observations is None:
            missing = [name for name in ("agency", "features") if name not in sent]
            _refuse({name: ["Missing data for required field."] for name in missing})
            return
        _refuse({name: ["is not sent beside observations; leave it out"] for name in sent})
        named = [str(one.get("agency")) for one in observations if isinstance(one, Mapping)]
        if len(set(named)) < len(named):
            raise ValidationError({"observations": ["send one observation an agency"]})


def _refuse(errors: dict[str, list[str]]) -> None:
    if errors:
        raise ValidationError(errors)


ONE_OF_TWO = [
    {"required": ["agency", "features"], "properties": {"observations": False}},
    {"required": ["observations"], "properties": {"agency": False, "features": False}},
]
"""What `_OneForm` holds, as JSON Schema."""


def request_schema(dictionary: Dictionary) -> Schema:
    """The schema of `POST /v1/screenings` for one dictionary."""
    monitoring: dict[str, fields.Field[Any]] = {
        monitored.name: fields.String(
            validate=validate.OneOf([*monitored.levels, NOT_KNOWN], error="send one of: {choices}"),
            metadata={"description": monitored.label},
        )
        for monitored in dictionary.monitored
    }
    agencies = [agency.id for agency in dictionary.agencies]

    def agency_and_features(required: bool) -> dict[str, fields.Field[Any]]:
        agency = fields.String(
            required=required,
            validate=validate.OneOf(agencies, error="send one of: {choices}"),
            metadata={"description": "The agency whose records the features come from."},
        )
        return {"agency": agency, "features": Features(dictionary, required=required)}

    observation = Schema.from_dict(agency_and_features(True), name="Observation")(unknown=RAISE)
    shape: dict[str, Any] = {
        "case_ref": CaseReference(
            required=True,
            metadata=_REFERENCE_SCHEMA,
        ),
        **agency_and_features(False),
        "observations": fields.List(
            fields.Nested(observation),
            validate=validate.Length(1, len(agencies), error="send one to {max} observations"),
            error_messages={"invalid": "send a list of observations"},
            metadata={"description": "For a pooled view, instead of agency and features: what each agency knows."},
        ),
        "monitoring": fields.Nested(
            Schema.from_dict(monitoring, name="Monitoring")(unknown=RAISE),
            metadata={"description": "Protected characteristics: kept for fairness, never scored, never required."},
        ),
    }
    return _OneForm.from_dict(shape, name="ScreeningRequest")(unknown=RAISE)


class FieldErrorSchema(Schema):
    field = fields.String(required=True)
    fix = fields.String(required=True)


class ProblemSchema(Schema):
    """RFC 9457 problem details."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True)
    detail = fields.String(required=True)
    errors = fields.List(fields.Nested(FieldErrorSchema))
