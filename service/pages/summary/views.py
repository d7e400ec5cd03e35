"""`/screenings/<id>/summary`: the referral summary, to print, to complete by hand, and to take away as data."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response

from service.fhir.terms import FHIR_JSON
from service.pages.desk import PageDesk
from service.records import looked_at
from service.screening.reading import JSON
from service.summary.facts import Summary, summarise
from service.summary.fhir import summary_bundle
from service.summary.shapes import summary_data


def summary_pages(blueprint: Blueprint, desk: PageDesk) -> None:
    """Adds the addresses of the referral summary."""

    def found(screening_id: object) -> Summary:
        caller = desk.visitor("practitioner").caller
        desk.rate.admit(caller.key_id)
        entry, payload = looked_at(str(screening_id), caller, desk.log)
        dictionary = desk.models.needed(payload["model_sha256"]).model.dictionary
        return summarise(entry, payload, dictionary, desk.origin)

    @blueprint.get("/screenings/<uuid:screening_id>/summary")
    def referral_summary(screening_id: object) -> Response:
        return summary_page(desk, found(screening_id))

    @blueprint.get("/screenings/<uuid:screening_id>/summary.json")
    def summary_as_json(screening_id: object) -> Response:
        return _taken_away(summary_data(found(screening_id)), JSON, "referral-summary.json")

    @blueprint.get("/screenings/<uuid:screening_id>/summary.fhir.json")
    def summary_as_fhir(screening_id: object) -> Response:
        return _taken_away(summary_bundle(found(screening_id)), FHIR_JSON, "referral-summary.fhir.json")


def summary_page(desk: PageDesk, summary: Summary) -> Response:
    """The page of a summary, for whoever is signed in or sent a key."""
    return desk.show("summary/page.html", summary=summary)


def _taken_away(content: object, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(orjson.dumps(content, option=orjson.OPT_INDENT_2), mimetype=kind, headers=headers)
