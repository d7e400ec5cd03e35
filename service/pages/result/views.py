"""`/screenings/<id>`: one screening as it was shown, and what the practitioner did about it."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, request

from service.access import Caller
from service.errors import FieldError, Problem, problem
from service.idempotency import idempotency_key
from service.log.store import StoredEntry
from service.pages.desk import PageDesk, see_other
from service.pages.result.shown import ShownScreenings
from service.reasons import choices
from service.records import looked_at, record_refusal
from service.responding import respond, responses_to
from service.responses import ResponseRequestSchema, validated_response
from service.words.topics import topic


def result_pages(blueprint: Blueprint, desk: PageDesk) -> None:
    """Adds the addresses of a screening's result."""
    schema = ResponseRequestSchema()
    shown = ShownScreenings(desk.templates, desk.released)

    @blueprint.get("/screenings/<uuid:screening_id>")
    def result(screening_id: object) -> Response:
        caller = desk.visitor("practitioner").caller
        entry, payload = looked_at(str(screening_id), caller, desk.log)
        return _page(entry, payload, {}, {}, 200)

    @blueprint.post("/screenings/<uuid:screening_id>/response")
    def answer(screening_id: object) -> Response:
        caller = desk.sender("practitioner").caller
        try:
            asked = _validated()
            respond(str(screening_id), asked, desk.log, caller, _once(caller))
        except Problem as refusal:
            record_refusal(refusal, caller, desk.log)
            if refusal.code != "refused":
                raise
            entry, payload = looked_at(str(screening_id), caller, desk.log)
            fixes = {error.field: error.fix for error in refusal.errors}
            return _page(entry, payload, dict(request.form.lists()), fixes, refusal.status)
        return see_other(f"/screenings/{screening_id}#response")

    def _validated() -> dict[str, Any]:
        sent: dict[str, Any] = {"action": request.form.get("action", ""), "reasons": request.form.getlist("reasons")}
        if not sent["action"]:
            raise problem("refused", [FieldError("action", topic("response").errors.no_action)])
        if corrects := request.form.get("corrects"):
            sent["corrects"] = corrects
        return validated_response(schema, sent)

    def _once(caller: Caller) -> str | None:
        return idempotency_key(request.form.get("once"), caller, "response")

    def _page(
        entry: StoredEntry, payload: dict[str, Any], filled: dict[str, list[str]], errors: dict[str, str], status: int
    ) -> Response:
        return desk.show(
            "result/page.html",
            status=status,
            body=shown.body(entry, payload),
            answer=payload["answer"],
            entry=entry,
            summary_address=f"/screenings/{entry.entry_id}/summary",
            responses=responses_to(entry.entry_id, desk.log),
            choices=choices(),
            offered=frozenset(choices().offered()),
            filled=filled,
            errors=errors,
            once=secrets.token_hex(16),
        )
