"""`GET /v1/screenings/{id}/summary`: the referral summary as JSON, FHIR or a page to print."""

from __future__ import annotations

from collections.abc import Callable

import orjson
from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint

from service.access.keys import Keys, require_role
from service.access.rate import KeyRate
from service.errors import FieldError, problem
from service.fhir.terms import FHIR_JSON
from service.log.store import LogStore
from service.records import looked_at
from service.replay.answering import AnsweringModels
from service.screening.api import documented
from service.screening.examples import uncopied
from service.screening.reading import JSON
from service.summary.facts import Summary, summarise
from service.summary.fhir import summary_bundle
from service.summary.shapes import SummarySchema, summary_data

HTML = "text/html"
FORMS = {"json": JSON, "fhir": FHIR_JSON, "html": HTML}


def summaries(
    models: AnsweringModels,
    log: LogStore,
    keys: Keys,
    rate: KeyRate,
    origin: str,
    page: Callable[[Summary], Response] | None,
    example: Summary,
) -> Blueprint:
    """The blueprint of summaries; `page` draws one to print, None where the service has no pages.

    `example` is one to be shown in the contract.
    """
    blueprint = Blueprint("summaries", __name__, url_prefix="/v1/screenings", description="What to send on.")
    offered = {name: kind for name, kind in FORMS.items() if name != "html" or page is not None}

    answers = documented(
        200,
        "The summary",
        SummarySchema,
        *(400, 401, 403, 404, 406, 410, 429, 500, 503),
        example=summary_data(example),
    )
    bundle = {"type": "object", "description": "A FHIR R4 Bundle."}
    answers["200"]["content"] |= {
        FHIR_JSON: {"schema": bundle, "example": uncopied(summary_bundle(example))},
        HTML: {"schema": {"type": "string", "description": "A page to print, where the service has pages."}},
    }

    @blueprint.route("/<uuid:screening_id>/summary")
    class ReferralSummary(MethodView):
        @blueprint.doc(
            summary="The referral summary of a screening: facts, grounds and what is not known; no score",
            description=f"By Accept ({', '.join(FORMS.values())}) or by format ({', '.join(FORMS)}).",
            parameters=[{"in": "query", "name": "format", "schema": {"type": "string", "enum": list(FORMS)}}],
            responses=answers,
        )
        def get(self, screening_id: object) -> Response:
            caller = keys.caller(request.headers.get("Authorization"))
            rate.admit(caller.key_id)
            require_role(caller, "practitioner", "auditor")
            form = _form(offered)
            entry, payload = looked_at(str(screening_id), caller, log)
            dictionary = models.needed(payload["model_sha256"]).model.dictionary
            summary = summarise(entry, payload, dictionary, origin)
            if form == HTML and page is not None:
                return page(summary)
            content = summary_bundle(summary) if form == FHIR_JSON else summary_data(summary)
            return Response(orjson.dumps(content), mimetype=form)

    return blueprint


def _form(offered: dict[str, str]) -> str:
    named = request.args.get("format")
    if named is not None:
        if named not in offered:
            raise problem("bad_parameter", [FieldError("format", f"send one of: {', '.join(offered)}")])
        return offered[named]
    if "Accept" not in request.headers:
        return JSON
    form = request.accept_mimetypes.best_match(list(offered.values()))
    if form is None:
        raise problem("not_acceptable", detail=f"Ask for one of: {', '.join(offered.values())}.")
    return form
