"""The FHIR R4 addresses: the Questionnaire, a QuestionnaireResponse to screen, the RiskAssessment of a screening."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint

from model.additive import AdditiveModel
from service.access.keys import require_role
from service.errors import PROBLEMS, problem
from service.fhir import terms
from service.fhir.answers import request_of
from service.fhir.authored import kept_of
from service.fhir.json_schema import response_schema
from service.fhir.outcome import PREFIX, operation_outcome
from service.fhir.questionnaire import questionnaire
from service.fhir.risk_assessment import risk_assessment
from service.log.store import Receipt, StoredEntry
from service.records import looked_at
from service.replay.answering import AnsweringModels
from service.sandbox.cases import CannedCase
from service.screening.api import documented
from service.screening.desk import ScreeningDesk
from service.screening.examples import receipt_of
from service.screening.idempotency import IDEMPOTENCY_PARAMETER, Once, idempotency_key
from service.screening.reading import read_json, validated
from service.web import Recorded


def fhir_addresses(
    desk: ScreeningDesk, models: AnsweringModels, cases: Sequence[CannedCase]
) -> tuple[Blueprint, Blueprint]:
    """The blueprints of the Questionnaire and of the resources; a resource speaks by the model that answered.

    The first of the `cases` is the example of an answer.
    """
    return _questionnaire(desk), _resources(desk, models, _example(desk, cases[0]))


def _questionnaire(desk: ScreeningDesk) -> Blueprint:
    blueprint = Blueprint("questionnaire", __name__, url_prefix="/v1", description="The questions, as FHIR R4.")
    rendered = orjson.dumps(questionnaire(desk.released.model))

    @blueprint.route("/questionnaire")
    class QuestionnaireView(MethodView):
        @blueprint.doc(
            summary="The dictionary as a FHIR R4 Questionnaire; every question rests on not known",
            responses=_fhir(documented(200, "The Questionnaire", _resource("Questionnaire"), 401, 429, 503)),
        )
        def get(self) -> Response:
            desk.keys.caller(request.headers.get("Authorization"))
            return Response(rendered, mimetype=terms.FHIR_JSON)

    return blueprint


def _resources(desk: ScreeningDesk, models: AnsweringModels, example: dict[str, Any]) -> Blueprint:
    blueprint = Blueprint("fhir", __name__, url_prefix=PREFIX, description="Screen a case, as FHIR R4.")
    body = {"required": True, "content": {terms.FHIR_JSON: {"schema": response_schema(desk.released.model.dictionary)}}}
    answered = _resource("RiskAssessment")

    @blueprint.route("/QuestionnaireResponse", methods=["POST"])
    @blueprint.doc(
        summary="Screen the answers to the Questionnaire",
        description="The same as POST /v1/screenings: read, score, record, and only then the answer.",
        parameters=[IDEMPOTENCY_PARAMETER],
        requestBody=body,
        responses=_fhir(
            documented(
                201,
                "The screening, recorded",
                answered,
                *(400, 401, 403, 410, 413, 415, 422, 429, 500, 503),
                example=example,
            ),
            PREFIX,
        ),
    )
    def post_answers() -> Response:
        caller = desk.keys.caller(request.headers.get("Authorization"))
        asked: dict[str, Any] = {}

        def read() -> tuple[dict[str, Any], Once | None]:
            resource = read_json(terms.FHIR_JSON)
            sent = request_of(resource, desk.released.model.dictionary, caller)
            kept = kept_of(resource)
            asked.update(validated(sent, desk.acceptor, desk.schema, caller) | kept)
            header = request.headers.get("Idempotency-Key")
            return asked, idempotency_key(header, caller, "screening", (sent, asked))

        done = desk.take(caller, read)
        location = ("Location", f"{PREFIX}/RiskAssessment/{done.record.entry_id}")
        model = models.needed(done.model_sha256).model
        shown = _rendered(orjson.loads(done.answer), asked, done.record, model, desk.origin)
        return Recorded(shown, 201, [location, *done.headers], terms.FHIR_JSON)

    @blueprint.route("/RiskAssessment/<uuid:screening_id>")
    class RiskAssessmentView(MethodView):
        @blueprint.doc(
            summary="A screening as it was recorded, as a RiskAssessment",
            responses=_fhir(
                documented(
                    200,
                    "The screening, with its record",
                    answered,
                    *(401, 403, 404, 410, 429, 500, 503),
                    example=example,
                ),
                PREFIX,
            ),
        )
        def get(self, screening_id: object) -> Response:
            caller = desk.keys.caller(request.headers.get("Authorization"))
            desk.rate.admit(caller.key_id)
            require_role(caller, "practitioner", "auditor")
            entry, payload = looked_at(str(screening_id), caller, desk.log)
            model = models.needed(payload["model_sha256"]).model
            shown = _rendered(payload["answer"], payload["asked"], entry, model, desk.origin)
            return Response(shown, mimetype=terms.FHIR_JSON)

    return blueprint


def _rendered(
    answer: dict[str, Any],
    asked: dict[str, Any],
    record: Receipt | StoredEntry,
    model: AdditiveModel,
    origin: str,
) -> bytes:
    return orjson.dumps(risk_assessment(answer, asked, record, model, origin))


def _example(desk: ScreeningDesk, case: CannedCase) -> dict[str, Any]:
    """The RiskAssessment of a canned case."""
    record, answer = receipt_of(case.answer), orjson.loads(case.answer)
    return risk_assessment(answer, case.request, record, desk.released.model, desk.origin)


def _resource(kind: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": f"A FHIR R4 {kind}.",
        "properties": {"resourceType": {"const": kind}},
        "required": ["resourceType"],
    }


def _fhir(answers: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Answers as documented, with FHIR's content type; below `prefix` problems are OperationOutcomes too."""
    for status, answer in answers.items():
        if status.startswith("2"):
            answer["content"] = {terms.FHIR_JSON: next(iter(answer["content"].values()))}
        elif prefix:
            outcomes = {
                code: {"value": operation_outcome(problem(code))}
                for code, (its_status, *_) in PROBLEMS.items()
                if its_status == int(status)
            }
            answer["content"] = {terms.FHIR_JSON: {"schema": _resource("OperationOutcome"), "examples": outcomes}}
    if prefix:
        content = {"schema": _resource("OperationOutcome")}
        answers["default"] = {"description": "An error", "content": {terms.FHIR_JSON: content}}
    return answers
