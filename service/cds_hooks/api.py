"""`/cds-services`: discovery, the services of each hook, and feedback."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import orjson
from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint

from model.additive import AdditiveModel
from service.access.keys import Caller
from service.cds_hooks.calls import call_schema, request_in
from service.cds_hooks.cards import card
from service.cds_hooks.contract import FEEDBACK_ANSWER, FEEDBACK_EXAMPLE, call_contract
from service.cds_hooks.cross_origin import allow
from service.cds_hooks.feedback import CdsFeedbackSchema, record_feedback
from service.cds_hooks.plan import CdsPlan
from service.cds_hooks.services import SERVICES, HookService, discovery
from service.cds_hooks.shapes import CdsCardsSchema, CdsRecordedSchema, CdsServicesSchema
from service.cds_hooks.tokens import CdsClients
from service.errors import Problem
from service.log.store import NotDurable, Receipt
from service.records import not_recorded, record_refusal
from service.replay.answering import AnsweringModels
from service.sandbox.cases import NOBODY, CannedCase
from service.screening.api import documented
from service.screening.desk import Answered, ScreeningDesk
from service.screening.examples import AT, uncopied
from service.screening.idempotency import Once, once
from service.screening.reading import JSON, read_json, validated
from service.summary.facts import summarise

ADDRESS = "/cds-services"
SECURITY: list[dict[str, list[str]]] = [{"cds_client": []}]


def cds_hooks(desk: ScreeningDesk, plan: CdsPlan, cases: Sequence[CannedCase], models: AnsweringModels) -> Blueprint:
    """The blueprint of CDS Hooks for these issuers; `cases` make the examples; cards are by the model that answered."""
    blueprint = Blueprint("cds_hooks", __name__, url_prefix=ADDRESS, description="CDS Hooks 2.0.")
    clients = CdsClients(plan, desk.keys)
    origins = frozenset(origin for issuer in plan.issuers.values() for origin in issuer.origins)
    dictionary = desk.released.model.dictionary
    offered = orjson.dumps(discovery(dictionary))

    @blueprint.after_request
    def _cross_origin(response: Response) -> Response:
        return allow(response, request.headers.get("Origin"), origins)

    @blueprint.route("")
    class Services(MethodView):
        @blueprint.doc(
            summary="CDS Hooks: the services that a client may call",
            security=[],
            responses=documented(200, "The services", CdsServicesSchema, 503, example=discovery(dictionary)),
        )
        def get(self) -> Response:
            return Response(offered, mimetype=JSON)

    for service in SERVICES.values():
        _add_service(blueprint, service, desk, plan, clients, models, _examples(cases, desk, plan))
    return blueprint


def _add_service(
    blueprint: Blueprint,
    service: HookService,
    desk: ScreeningDesk,
    plan: CdsPlan,
    clients: CdsClients,
    models: AnsweringModels,
    shown: dict[str, Any],
) -> None:
    schema, said = call_schema(service), CdsFeedbackSchema()
    contract = call_contract(service, desk.released.model.dictionary)
    caller_of = clients.caller
    answers = documented(
        200, "One card, its screening recorded", CdsCardsSchema, 400, 401, 403, 410, 412, 413, 415, 422, 429, 500, 503
    )
    answers["200"]["content"][JSON]["examples"] = shown

    @blueprint.route(f"/{service.id}", methods=["POST"], endpoint=f"{service.id}-call")
    @blueprint.doc(
        operationId=f"call-{service.id}",
        summary=f"CDS Hooks: {service.hook}",
        description="Answers in the prefetch are screened and recorded; then the card leaves.",
        security=SECURITY,
        requestBody={"required": True, "content": {JSON: {"schema": contract}}},
        responses=answers,
    )
    def call() -> Response:
        caller = caller_of(request.headers.get("Authorization"), request.path)
        asked: dict[str, Any] = {}

        def read() -> tuple[dict[str, Any], Once | None]:
            sent = read_json()
            found, authored = request_in(sent, schema, desk.released.model.dictionary, caller)
            asked.update(validated(found, desk.acceptor, desk.schema, caller) | authored)
            return asked, _once(service, str(sent["hookInstance"]), caller)

        done = desk.take(caller, read, service.id)
        cards = _cards(done, asked, models.needed(done.model_sha256).model, desk.origin, plan)
        return Response(cards, 200, dict(done.headers), mimetype=JSON)

    @blueprint.route(f"/{service.id}/feedback", methods=["POST"], endpoint=f"{service.id}-feedback")
    @blueprint.doc(
        operationId=f"feedback-{service.id}",
        summary=f"CDS Hooks: what was done with cards of {service.hook}",
        security=SECURITY,
        requestBody={"required": True, "content": {JSON: {"schema": said, "example": FEEDBACK_EXAMPLE}}},
        responses=documented(
            200,
            "Recorded as responses",
            CdsRecordedSchema,
            *(400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 500, 503),
            example=FEEDBACK_ANSWER,
        ),
    )
    def feedback() -> Response:
        caller = caller_of(request.headers.get("Authorization"), request.path)
        desk.rate.admit(caller.key_id)
        try:
            recorded = record_feedback(read_json(), said, desk.log, caller, service.id)
        except Problem as refusal:
            record_refusal(refusal, caller, desk.log)
            raise
        except NotDurable:
            raise not_recorded() from None
        return Response(orjson.dumps({"recorded": recorded}), mimetype=JSON)


def _examples(cases: Sequence[CannedCase], desk: ScreeningDesk, plan: CdsPlan) -> dict[str, Any]:
    """The card of each canned case, by what it shows, made by the code that answers."""
    shown = {}
    for case in cases:
        composed = Answered(case.answer, Receipt(0, NOBODY, "", AT, ""), desk.released.sha256)
        value = orjson.loads(_cards(composed, dict(case.request), desk.released.model, desk.origin, plan))
        shown[case.expected] = {"summary": case.expected, "value": uncopied(value)}
    return shown


def _cards(done: Answered, asked: dict[str, Any], model: AdditiveModel, origin: str, plan: CdsPlan) -> bytes:
    answer = orjson.loads(done.answer)
    summary = summarise(done.record, {"answer": answer, "asked": asked}, model.dictionary, origin)
    return orjson.dumps({"cards": [card(answer, summary, model, plan.url)]})


def _once(service: HookService, hook_instance: str, caller: Caller) -> Once:
    """A hook's instance is a new one for each call, so a retry of one is answered as it was."""
    return once("hook", sha256(f"{service.id} {hook_instance.lower()}".encode()).hexdigest(), caller)
