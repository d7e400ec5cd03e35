"""The endpoints of a screening: `POST /v1/screenings` and `GET /v1/screenings/{id}`."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint

from service.accepting import Acceptor
from service.access import Caller, Keys, require_role
from service.answer import AnswerWriter
from service.answer_schemas import ScreeningSchema
from service.errors import Problem, problem
from service.idempotency import IDEMPOTENCY_PARAMETER, idempotency_key
from service.log.canonical import canonical_bytes
from service.log.store import AlreadyRecorded, LogStore, NotDurable
from service.many_api import ManyPlan, ScreeningsSchema, add_many
from service.model_files import ReleasedModel
from service.reading import JSON, validated_screening
from service.records import RETRY_AFTER, looked_at, record_refusal, recorded, recorded_screening, with_record
from service.schemas import ProblemSchema, request_schema
from service.screening import screen
from service.web import Recorded


def screenings(
    released: ReleasedModel, writer: AnswerWriter, log: LogStore, keys: Keys, origin: str, batch_body_limit: int
) -> Blueprint:
    """The blueprint of screenings for one model, log and set of keys; `batch_body_limit` is in bytes."""
    blueprint = Blueprint("screenings", __name__, url_prefix="/v1/screenings", description="Screen a case.")
    schema = request_schema(released.model.dictionary)
    acceptor = Acceptor(schema)
    examples = {
        "one_agency": {"summary": "What one agency knows", "value": example_request(released)},
        "pooled": {"summary": "What several agencies know, pooled", "value": example_pooled(released)},
    }
    body = {"required": True, "content": {JSON: {"schema": schema, "examples": examples}}}

    @blueprint.route("", methods=["POST"])
    @blueprint.doc(
        summary="Screen one anonymised case",
        parameters=[IDEMPOTENCY_PARAMETER],
        requestBody=body,
        responses=documented(201, "The screening, recorded", ScreeningSchema, 400, 401, 403, 413, 415, 422, 503),
    )
    def post_screening() -> Response:
        caller = keys.caller(request.environ.get("HTTP_AUTHORIZATION"))
        try:
            require_role(caller, "practitioner")
            asked = validated_screening(acceptor, schema, caller)
            unique = idempotency_key(request.environ.get("HTTP_IDEMPOTENCY_KEY"), caller, "screening")
            try:
                shown = screen(asked, released, writer, log, caller, unique)
            except AlreadyRecorded as recorded:
                return _repeated(asked, log, recorded.index, origin)
        except Problem as refusal:
            record_refusal(refusal, caller, log)
            raise
        except NotDurable:
            raise problem("not_recorded", Retry_After=RETRY_AFTER) from None
        location = f"/v1/screenings/{shown.receipt.entry_id}"
        return Recorded(with_record(shown.answer, shown.receipt, origin), 201, [("Location", location)])

    add_many(
        blueprint,
        ManyPlan(released, writer, log, keys, origin, schema, acceptor, batch_body_limit),
        example_request(released),
        documented(201, "The screenings, recorded", ScreeningsSchema, 400, 401, 403, 410, 413, 415, 422, 503),
    )

    @blueprint.route("/<uuid:screening_id>")
    class Screening(MethodView):
        @blueprint.doc(
            summary="A screening as it was shown, with its record",
            responses=documented(
                200, "The very bytes that were shown and logged", ScreeningSchema, 401, 403, 404, 410, 503
            ),
        )
        def get(self, screening_id: object) -> Response:
            caller = keys.caller(request.headers.get("Authorization"))
            require_role(caller, "practitioner", "auditor")
            return _shown_again(str(screening_id), log, caller, origin)

    return blueprint


def documented(status: int, description: str, schema: Any, *problems: int) -> dict[str, Any]:
    """The answers of an operation, for OpenAPI.

    Documented and not run: flask-smorest's `response` would send every answer through a schema, and each of its
    `alt_response` wrappers costs about 8 microseconds a request.
    """
    answers: dict[str, Any] = {str(status): {"description": description, "content": {JSON: {"schema": schema}}}}
    for problem_status in problems:
        content = {"application/problem+json": {"schema": ProblemSchema}}
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


def _repeated(asked: dict[str, Any], log: LogStore, index: int, origin: str) -> Response:
    """The answer that this key's request was given before, from its record; a retry makes no second entry."""
    found = recorded(lambda: log.get_index(index))
    if found is None:
        raise problem("record_damaged")
    entry, payload = recorded_screening(found.entry_id, log)
    if payload["asked"] != asked:
        raise problem("key_reused")
    headers = [("Location", f"/v1/screenings/{entry.entry_id}"), ("Idempotent-Replayed", "true")]
    return Recorded(with_record(canonical_bytes(payload["answer"]), entry, origin), 201, headers)


def _shown_again(screening_id: str, log: LogStore, caller: Caller, origin: str) -> Response:
    entry, payload = looked_at(screening_id, caller, log)
    return Response(with_record(canonical_bytes(payload["answer"]), entry, origin), 200, mimetype=JSON)
