"""`GET /v1/drift`: today's cases against training, for auditors and operators."""

from __future__ import annotations

from dataclasses import asdict

import orjson
from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from service.access.keys import Keys, require_role
from service.drift.agency import ENOUGH_ANSWERS
from service.drift.window import DriftWindow
from service.screening.api import documented
from service.screening.reading import JSON


class FeatureDriftSchema(Schema):
    feature = fields.String(required=True)
    label = fields.String(required=True)
    cases = fields.Integer(required=True)
    index = fields.Float(required=True, allow_none=True, metadata={"description": "Population stability index."})
    noise = fields.Float(required=True, allow_none=True, metadata={"description": "Its mean if nothing had changed."})
    not_answered_then = fields.Float(required=True, allow_none=True)
    not_answered_now = fields.Float(required=True)
    unlisted = fields.Integer(
        required=True, metadata={"description": "Answers that the live model's dictionary does not list."}
    )


class AgencyFeatureDriftSchema(Schema):
    """A question of an agency; null where too few to show."""

    feature = fields.String(required=True)
    label = fields.String(required=True)
    index = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": f"Population stability index, from {ENOUGH_ANSWERS} answers on."},
    )
    noise = fields.Float(required=True, allow_none=True, metadata={"description": "Its mean if nothing had changed."})
    not_answered_then = fields.Float(required=True, allow_none=True)
    not_answered_now = fields.Float(required=True, allow_none=True)


class AgencyDriftSchema(Schema):
    agency = fields.String(required=True)
    label = fields.String(required=True)
    cases = fields.Integer(required=True, allow_none=True, metadata={"description": "Null where too few to show."})
    index = fields.Float(
        required=True, allow_none=True, metadata={"description": "Mean of those of its questions that have one."}
    )
    not_answered_then = fields.Float(required=True, allow_none=True)
    not_answered_now = fields.Float(required=True, allow_none=True)
    features = fields.List(
        fields.Nested(AgencyFeatureDriftSchema),
        required=True,
        metadata={"description": "The questions whose answers it may hold; empty where too few cases to show."},
    )


class DriftSchema(Schema):
    """The newest screenings against the live model's training counts."""

    model = fields.String(required=True)
    cases = fields.Integer(required=True)
    erased = fields.Integer(required=True)
    damaged = fields.Integer(required=True, metadata={"description": "Records that do not fit their leaves."})
    first_at = fields.String(required=True, allow_none=True)
    last_at = fields.String(required=True, allow_none=True)
    features = fields.List(fields.Nested(FeatureDriftSchema), required=True)
    agencies = fields.List(fields.Nested(AgencyDriftSchema), required=True)


def drift_address(window: DriftWindow, keys: Keys) -> Blueprint:
    """The blueprint of the one address."""
    blueprint = Blueprint("drift", __name__, url_prefix="/v1", description="Watch what comes in.")

    @blueprint.route("/drift")
    class Drift(MethodView):
        @blueprint.doc(
            summary="How far the newest screenings differ from training, by feature and by agency",
            description="Files of cases and what sandbox keys screened are not counted.",
            responses=documented(200, "The report, at most a minute old", DriftSchema, 401, 403, 503),
        )
        def get(self) -> Response:
            require_role(keys.caller(request.headers.get("Authorization")), "auditor", "operator")
            return Response(orjson.dumps(asdict(window.report())), mimetype=JSON)

    return blueprint
