"""The shapes of what CDS Hooks answers, for OpenAPI (CDS Hooks 2.0, "CDS Service Response")."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from service.cds_hooks.cards import LONGEST_SUMMARY


class CdsCodingSchema(Schema):
    code = fields.String(required=True)
    system = fields.String(required=True)
    display = fields.String(required=True)


class CdsServiceSchema(Schema):
    id = fields.String(required=True)
    hook = fields.String(required=True)
    title = fields.String(required=True)
    description = fields.String(required=True)
    prefetch = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    usageRequirements = fields.String(required=True)


class CdsServicesSchema(Schema):
    """The services that a client may call."""

    services = fields.List(fields.Nested(CdsServiceSchema), required=True)


class CdsSourceSchema(Schema):
    label = fields.String(required=True)
    url = fields.String(required=True)
    topic = fields.Nested(CdsCodingSchema, required=True)


class CdsActionSchema(Schema):
    type = fields.String(required=True, validate=validate.Equal("create"))
    description = fields.String(required=True)
    resource = fields.Dict(required=True, metadata={"description": "A FHIR R4 draft: ServiceRequest or Task."})


class CdsSuggestionSchema(Schema):
    label = fields.String(required=True)
    uuid = fields.UUID(required=True)
    actions = fields.List(fields.Nested(CdsActionSchema), required=True)


class CdsLinkSchema(Schema):
    label = fields.String(required=True)
    url = fields.String(required=True)
    type = fields.String(required=True, validate=validate.Equal("absolute"))


class CdsCardSchema(Schema):
    """A card; its uuid is the screening's id."""

    uuid = fields.UUID(required=True)
    summary = fields.String(required=True, validate=validate.Length(1, LONGEST_SUMMARY))
    indicator = fields.String(required=True, validate=validate.OneOf(("info", "warning")))
    detail = fields.String(required=True)
    source = fields.Nested(CdsSourceSchema, required=True)
    overrideReasons = fields.List(fields.Nested(CdsCodingSchema), required=True)
    links = fields.List(fields.Nested(CdsLinkSchema), required=True)
    suggestions = fields.List(fields.Nested(CdsSuggestionSchema))
    selectionBehavior = fields.String(validate=validate.Equal("at-most-one"))


class CdsCardsSchema(Schema):
    """One card a call."""

    cards = fields.List(fields.Nested(CdsCardSchema), required=True)


class CdsResponseSchema(Schema):
    response_id = fields.UUID(required=True)
    screening_id = fields.UUID(required=True)
    action = fields.String(required=True)
    reasons = fields.List(fields.String(), required=True)
    corrects = fields.UUID(required=True, allow_none=True)


class CdsRecordedSchema(Schema):
    """The responses that the feedback was recorded as."""

    recorded = fields.List(fields.Nested(CdsResponseSchema), required=True)
