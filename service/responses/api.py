"""The endpoints of a practitioner's response: `POST /v1/screenings/{id}/response` and `GET /v1/responses`."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from service.access.keys import Keys, require_role
from service.access.rate import KeyRate
from service.errors import Problem, problem
from service.log.canonical import canonical_bytes
from service.log.store import LogStore, NotDurable
from service.records import RETRY_AFTER, record_refusal, with_record
from service.responses.reasons import choices
from service.responses.story import numbered_id, respond
from service.sandbox.cases import NOBODY
from service.screening.answer_schemas import RecordSchema
from service.screening.api import documented
from service.screening.examples import receipt_of
from service.screening.idempotency import IDEMPOTENCY_PARAMETER, idempotency_key
from service.screening.reading import JSON, field_errors, read_json

_ACTIONS = [action.code for action in choices().offered_actions()]
_REASONS = choices().offered()
_EXAMPLE = {"action": "decided_otherwise", "reasons": ["done_already"]}


class ResponseRequestSchema(Schema):
    """What the practitioner did, from closed lists; there is no free text."""

    class Meta:
        unknown = RAISE

    action = fields.String(required=True, validate=validate.OneOf(_ACTIONS, error="send one of: {choices}"))
    reasons = fields.List(
        fields.String(validate=validate.OneOf(_REASONS, error="send one of: {choices}")),
        load_default=list,
        error_messages={"invalid": "send a list of codes"},
        validate=validate.Length(max=len(_REASONS), error="send each reason once"),
        metadata={
            "description": "Codes from GET /v1/responses; at least one for decided_otherwise.",
            "uniqueItems": True,
        },
    )
    corrects = fields.UUID(
        allow_none=True,
        error_messages={"invalid_uuid": "send the response_id of the response to correct, or leave it out"},
        metadata={"description": "The response that this one corrects; refused where that is not the newest."},
    )

    @validates_schema
    def _reasons_fit(self, data: dict[str, Any], **_: object) -> None:
        reasons = data["reasons"]
        if len(set(reasons)) < len(reasons):
            raise ValidationError("send each reason once", "reasons")
        if data["action"] in choices().needing_reason() and not reasons:
            raise ValidationError("needs at least one reason; GET /v1/responses lists them", "reasons")


_NEEDING = sorted(choices().needing_reason())
RESPONSE_FORMS = [
    {"properties": {"action": {"enum": [action for action in _ACTIONS if action not in _NEEDING]}}},
    {"properties": {"action": {"enum": _NEEDING}, "reasons": {"minItems": 1}}, "required": ["reasons"]},
]
"""What `ResponseRequestSchema` holds of one field beside another, as JSON Schema."""


class ResponseSchema(Schema):
    """A response as it was recorded."""

    response_id = fields.UUID(required=True)
    screening_id = fields.UUID(required=True)
    action = fields.String(required=True, validate=validate.OneOf(_ACTIONS))
    reasons = fields.List(fields.String(), required=True)
    corrects = fields.UUID(required=True, allow_none=True)
    record = fields.Nested(RecordSchema, required=True)


class ActionSchema(Schema):
    code = fields.String(required=True)
    label = fields.String(required=True)
    needs_reason = fields.Boolean(required=True)


class ReasonSchema(Schema):
    code = fields.String(required=True)
    label = fields.String(required=True)
    source = fields.String(required=True)


class ChoicesSchema(Schema):
    """The closed lists, in the order in which to show them."""

    actions = fields.List(fields.Nested(ActionSchema), required=True)
    reasons = fields.List(fields.Nested(ReasonSchema), required=True)


def responses(log: LogStore, keys: Keys, rate: KeyRate, origin: str) -> Blueprint:
    """The blueprint of practitioners' responses for one log and set of keys."""
    blueprint = Blueprint("responses", __name__, url_prefix="/v1", description="Say what was done about a screening.")
    schema = ResponseRequestSchema()
    body = {"required": True, "content": {JSON: {"schema": schema, "example": _EXAMPLE}}}
    listed = orjson.dumps(choices().shown())

    @blueprint.route("/screenings/<uuid:screening_id>/response")
    class PractitionerResponse(MethodView):
        @blueprint.doc(
            summary="Record what was done about a screening",
            requestBody=body,
            parameters=[IDEMPOTENCY_PARAMETER],
            responses=documented(
                201,
                "The response, recorded",
                ResponseSchema,
                *(400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 500, 503),
                example=_example_answer(origin),
            ),
        )
        def post(self, screening_id: object) -> Response:
            caller = keys.caller(request.headers.get("Authorization"))
            rate.admit(caller.key_id)
            try:
                require_role(caller, "practitioner")
                asked = validated_response(schema, read_json())
                once = idempotency_key(request.headers.get("Idempotency-Key"), caller, "response")
                recorded = respond(str(screening_id), asked, log, caller, once)
            except Problem as refusal:
                record_refusal(refusal, caller, log)
                raise
            except NotDurable:
                raise problem("not_recorded", Retry_After=RETRY_AFTER) from None
            return Response(with_record(recorded.answer, recorded.receipt, origin), 201, mimetype=JSON)

    @blueprint.route("/responses")
    class ResponseChoices(MethodView):
        @blueprint.doc(
            summary="The actions and reasons that a response may name",
            responses=documented(200, "The closed lists", ChoicesSchema, 401, 503, example=choices().shown()),
        )
        def get(self) -> Response:
            keys.caller(request.headers.get("Authorization"))
            return Response(listed, mimetype=JSON)

    return blueprint


def _example_answer(origin: str) -> dict[str, Any]:
    """What the example of a request is answered with."""
    said = {**_EXAMPLE, "corrects": None, "response_id": numbered_id(NOBODY, 0), "screening_id": NOBODY}
    content = canonical_bytes(said)
    return dict(orjson.loads(with_record(content, receipt_of(content), origin)))


def validated_response(schema: Schema, sent: Any) -> dict[str, Any]:
    """A response that was sent, by API or form, checked. Raises `Problem`."""
    try:
        asked: dict[str, Any] = schema.load(sent)
    except ValidationError as error:
        messages = error.normalized_messages()
        if isinstance(messages.get("reasons"), dict):  # by place in the list, which nobody needs to know
            messages["reasons"] = list(dict.fromkeys(fix for fixes in messages["reasons"].values() for fix in fixes))
        raise problem("refused", field_errors(messages, frozenset(schema.fields))) from None
    corrects = asked.get("corrects")
    return {**asked, "corrects": None if corrects is None else str(corrects)}
