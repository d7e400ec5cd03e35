"""The endpoints of a screening: `POST /v1/screenings` and `GET /v1/screenings/{id}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint

from service.access.keys import require_role
from service.log.canonical import canonical_bytes
from service.model_files import ReleasedModel
from service.records import looked_at, with_record
from service.screening.answer_schemas import ScreeningSchema
from service.screening.desk import ScreeningDesk
from service.screening.examples import examples_of, uncopied
from service.screening.idempotency import IDEMPOTENCY_PARAMETER, Once, idempotency_key
from service.screening.many_api import ScreeningsSchema, add_many
from service.screening.reading import JSON, read_json, validated
from service.screening.schemas import ProblemSchema
from service.screening.short_way import raise_again
from service.web import Recorded


def screenings(
    desk: ScreeningDesk, shown: Mapping[str, Any], many: Mapping[str, Any], batch_body_limit: int
) -> Blueprint:
    """The blueprint of screenings, all of which go over one desk.

    `shown` are examples of answers and `many` is one of an answer to many cases, for OpenAPI.

    `batch_body_limit` is in bytes.
    """
    blueprint = Blueprint("screenings", __name__, url_prefix="/v1/screenings", description="Screen a case.")
    released = desk.released
    examples = {
        "one_agency": {"summary": "What one agency knows", "value": example_request(released)},
        "pooled": {"summary": "What several agencies know, pooled", "value": example_pooled(released)},
    }
    body = {"required": True, "content": {JSON: {"schema": desk.schema, "examples": examples}}}

    answers = documented(
        201, "The screening, recorded", ScreeningSchema, 400, 401, 403, 409, 410, 413, 415, 422, 429, 500, 503
    )
    answers["201"]["content"][JSON]["examples"] = dict(shown)

    @blueprint.route("", methods=["POST"])
    @blueprint.doc(
        summary="Screen one anonymised case",
        parameters=[IDEMPOTENCY_PARAMETER],
        requestBody=body,
        responses=answers,
    )
    def post_screening() -> Response:
        raise_again(request.environ)
        caller = desk.keys.caller(request.environ.get("HTTP_AUTHORIZATION"))

        def read() -> tuple[dict[str, Any], Once | None]:
            sent = read_json()
            asked = validated(sent, desk.acceptor, desk.schema, caller)
            header = request.environ.get("HTTP_IDEMPOTENCY_KEY")
            return asked, idempotency_key(header, caller, "screening", (sent, asked))

        answered = desk.take(caller, read)
        headers = [("Location", f"/v1/screenings/{answered.record.entry_id}"), *answered.headers]
        return Recorded(with_record(answered.answer, answered.record, desk.origin), 201, headers)

    add_many(
        blueprint,
        desk,
        batch_body_limit,
        example_request(released),
        documented(
            201,
            "The screenings, recorded",
            ScreeningsSchema,
            *(400, 401, 403, 410, 413, 415, 422, 429, 500, 503),
            example=many,
        ),
    )

    again = documented(
        200, "The very bytes that were shown and logged", ScreeningSchema, 401, 403, 404, 410, 429, 500, 503
    )
    again["200"]["content"][JSON]["examples"] = dict(shown)

    @blueprint.route("/<uuid:screening_id>")
    class Screening(MethodView):
        @blueprint.doc(
            summary="A screening as it was shown, with its record",
            responses=again,
        )
        def get(self, screening_id: object) -> Response:
            caller = desk.keys.caller(request.headers.get("Authorization"))
            desk.rate.admit(caller.key_id)
            require_role(caller, "practitioner", "auditor")
            entry, payload = looked_at(str(screening_id), caller, desk.log)
            return Response(with_record(canonical_bytes(payload["answer"]), entry, desk.origin), 200, mimetype=JSON)

    return blueprint


def documented(status: int, description: str, schema: Any, *problems: int, example: object = None) -> dict[str, Any]:
    """The answers of an operation, for OpenAPI; `example` is of the good one.

    Documented and not run: flask-smorest's `response` would send every answer through a schema, and each of its
    `alt_response` wrappers costs about 8 microseconds a request.
    """
    good = {"schema": schema} if example is None else {"schema": schema, "example": uncopied(example)}
    answers: dict[str, Any] = {str(status): {"description": description, "content": {JSON: good}}}
    for problem_status in problems:
        content = {"application/problem+json": {"schema": ProblemSchema, "examples": examples_of(problem_status)}}
        answers[str(problem_status)] = {"description": "Problem details", "content": content}
    return answers


def example_request(released: ReleasedModel) -> dict[str, Any]:
    """A small request that the active model accepts, for `/docs` and the newcomer's `curl` line."""
    dictionary = released.model.dictionary
    features: dict[str, Any] = {}
    for feature in dictionary.features:
        if feature.essential and not feature.is_numeric:
            features[feature.name] = feature.reference or feature.levels[0]
    if "parent_mental_health_history" in {feature.name for feature in dictionary.features}:
        features["parent_mental_health_history"] = "yes"
    agencies = [agency.id for agency in dictionary.agencies]
    agency = "health_visiting" if "health_visiting" in agencies else next(iter(agencies), "")
    return {"case_ref": "case-0001", "agency": agency, "features": features}


def example_pooled(released: ReleasedModel) -> dict[str, Any]:
    """A small pooled request: the newcomer's, with what a second agency knows beside it."""
    one = example_request(released)
    second = next((a.id for a in released.model.dictionary.agencies if a.id != one["agency"]), one["agency"])
    observations = [{"agency": one["agency"], "features": one["features"]}]
    if second != one["agency"]:
        observations.append({"agency": second, "features": {}})
    return {"case_ref": one["case_ref"], "observations": observations}
