"""`GET /v1/sandbox/cases`: the canned cases, for any key."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from service.access.keys import Keys
from service.sandbox.cases import EXPECTED, CannedCase
from service.screening.api import documented
from service.screening.reading import JSON
from service.words.topics import topic


class SandboxCaseSchema(Schema):
    expected = fields.String(required=True, validate=validate.OneOf(EXPECTED))
    description = fields.String(required=True)
    request = fields.Dict(required=True, metadata={"description": "A body of POST /v1/screenings."})


class SandboxCasesSchema(Schema):
    """Made-up cases, one for each prompt that the model in use can show."""

    cases = fields.List(fields.Nested(SandboxCaseSchema), required=True)


def sandbox_cases(cases: tuple[CannedCase, ...], keys: Keys) -> Blueprint:
    """The blueprint of the one address; rendered once."""
    blueprint = Blueprint("sandbox", __name__, url_prefix="/v1/sandbox", description="Try it without a real case.")
    shown = {"cases": [_shown(case) for case in cases]}
    rendered = orjson.dumps(shown)

    @blueprint.route("/cases")
    class Cases(MethodView):
        @blueprint.doc(
            summary="Canned cases to try: one for each prompt",
            responses=documented(200, "The cases", SandboxCasesSchema, 401, 429, 503, example=shown),
        )
        def get(self) -> Response:
            keys.caller(request.headers.get("Authorization"))
            return Response(rendered, mimetype=JSON)

    return blueprint


def _shown(case: CannedCase) -> dict[str, Any]:
    description = topic("sandbox").cases[case.expected]
    return {"expected": case.expected, "description": description, "request": dict(case.request)}
