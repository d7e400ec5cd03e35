"""The shape of the answer to a screening, for OpenAPI and for the test that holds every answer to it."""

from __future__ import annotations

from marshmallow import Schema, fields, validate


class PromptSchema(Schema):
    level = fields.String(
        required=True, validate=validate.OneOf(["consider_referral", "seek_information", "no_prompt"])
    )
    text = fields.String(required=True)
    reasons = fields.List(fields.String(), required=True)
    ask = fields.List(fields.String(), required=True, metadata={"description": "Features to ask about first."})


class GroundSchema(Schema):
    code = fields.String(required=True)
    label = fields.String(required=True)
    text = fields.String(required=True)
    action = fields.String(required=True, validate=validate.OneOf(["call", "discuss"]))
    source = fields.String(required=True)


class GapSchema(Schema):
    feature = fields.String(required=True)
    label = fields.String(required=True)
    held_by = fields.List(fields.String(), required=True)
    score_if_lowest = fields.Float(required=True)
    score_if_highest = fields.Float(required=True)


class ContributionSchema(Schema):
    feature = fields.String(required=True)
    label = fields.String(required=True)
    value = fields.Raw(required=True, metadata={"description": "A level, a number, not_known or not_applicable."})
    contribution = fields.Float(required=True, metadata={"description": "Log-odds, against the average case."})
    text = fields.String(required=True)


class ExplanationSchema(Schema):
    units = fields.String(required=True, validate=validate.Equal("log-odds"))
    base_value = fields.Float(required=True)
    contributions = fields.List(fields.Nested(ContributionSchema), required=True)


class AloneSchema(Schema):
    """What one agency alone would have been shown."""

    agency = fields.String(required=True)
    known = fields.Integer(required=True, metadata={"description": "Features that it knows."})
    prompt = fields.Nested(PromptSchema, required=True)
    grounds = fields.List(fields.String(), required=True, metadata={"description": "Codes of the grounds met."})
    score = fields.Float(required=True, validate=validate.Range(0, 1))
    score_range = fields.List(fields.Float(), required=True)


class FactSchema(Schema):
    feature = fields.String(required=True)
    label = fields.String(required=True)
    value = fields.Raw(required=True)
    agencies = fields.List(fields.String(), required=True, metadata={"description": "Who gave this answer."})
    text = fields.String(required=True)


class DifferenceSchema(Schema):
    """What pooling changed. `facts` are those without which the prompt would be no higher than one agency's own."""

    rose = fields.Boolean(required=True, metadata={"description": "Whether the level is above every agency's own."})
    facts = fields.List(fields.Nested(FactSchema), required=True)
    grounds = fields.List(
        fields.String(), required=True, metadata={"description": "Codes of grounds met only by all together."}
    )
    text = fields.String(required=True)


class GivenSchema(Schema):
    agency = fields.String(required=True)
    value = fields.Raw(required=True)


class ConflictSchema(Schema):
    feature = fields.String(required=True)
    label = fields.String(required=True)
    given = fields.List(fields.Nested(GivenSchema), required=True)
    counted = fields.Raw(required=True, metadata={"description": "The value that counts, or not_known."})
    text = fields.String(required=True)


class NotCountedSchema(Schema):
    """A reassuring answer from an agency that may not hold the record: it counts as not known."""

    agency = fields.String(required=True)
    feature = fields.String(required=True)
    label = fields.String(required=True)
    value = fields.Raw(required=True)
    text = fields.String(required=True)


class PooledSchema(Schema):
    """What each agency alone would have been shown, and what putting it together changed."""

    alone = fields.List(fields.Nested(AloneSchema), required=True)
    made_the_difference = fields.Nested(DifferenceSchema, required=True)
    conflicts = fields.List(fields.Nested(ConflictSchema), required=True)
    not_counted = fields.List(fields.Nested(NotCountedSchema), required=True)


class ModelReferenceSchema(Schema):
    name = fields.String(required=True)
    version = fields.String(required=True)
    synthetic = fields.Boolean(required=True)


class RecordSchema(Schema):
    log = fields.String(required=True)
    index = fields.Integer(required=True)
    leaf_hash = fields.String(required=True)
    at = fields.String(required=True)
    checkpoint = fields.String(required=True, metadata={"description": "C2SP tlog-checkpoint that covers the record."})


class ScreeningSchema(Schema):
    """What a screening answers with. `base_value` plus the contributions is the log-odds of `score`."""

    screening_id = fields.UUID(required=True)
    case_ref = fields.String(required=True)
    prompt = fields.Nested(PromptSchema, required=True)
    grounds = fields.List(fields.Nested(GroundSchema), required=True)
    not_known = fields.List(fields.Nested(GapSchema), required=True)
    not_recognised = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Features sent with a level that the dictionary does not list: counted as not known."},
    )
    score = fields.Float(required=True, validate=validate.Range(0, 1))
    score_interval = fields.List(fields.Float(), required=True)
    score_range = fields.List(fields.Float(), required=True)
    band = fields.Integer(required=True, validate=validate.Range(1, 20))
    score_meaning = fields.String(required=True)
    explanation = fields.Nested(ExplanationSchema, required=True)
    not_considered = fields.List(fields.String(), required=True)
    pooled = fields.Nested(PooledSchema, metadata={"description": "Only in the answer to a request of observations."})
    model = fields.Nested(ModelReferenceSchema, required=True)
    record = fields.Nested(RecordSchema, required=True)
